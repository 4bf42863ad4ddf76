// The cost of the timed loop itself.
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class Noop : public Kernel {
 public:
  void Run(std::uint64_t iterations) override {
    std::uint64_t done = 0;
    for (; done < iterations; ++done) KeepAlive(done);
    tally_.Record(iterations, done);
  }

  void Verify() override { tally_.Verify("empty loop"); }

 private:
  Tally tally_;
};

HVBENCH_KERNEL(Noop, .name = "calibration/noop", .summary = "An empty loop: the floor of all times",
               .unit = "iteration", .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
