// The cost of reading the clock that times every batch: the resolution of all times.
#include "benchmarks/kernels/support/tally.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {
namespace {

class ClockRead : public Kernel {
 public:
  void Prepare(const Context& context) override { clock_ = context.clock(); }

  void Run(std::uint64_t iterations) override {
    std::uint64_t last = clock_.NowNs();
    tally_.Run(iterations, [&] {
      const std::uint64_t now = clock_.NowNs();
      const bool ascends = now >= last;
      last = now;
      return ascends;
    });
  }

  void Verify() override { tally_.Verify("reads that do not go back in time"); }

 private:
  GuestClock clock_;
  Tally tally_;
};

HVBENCH_KERNEL(ClockRead, .name = "calibration/clock_read",
               .summary = "One read of the clock that times the batches", .unit = "read",
               .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
