// FUTEX_WAKE of a word on which nobody waits: what an uncontended unlock may cost.
#include "benchmarks/kernels/support/check.h"
#include "benchmarks/kernels/support/futex.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class FutexWakeNobody : public Kernel {
 public:
  void Prepare(const Context&) override { RequireAvailable(FutexWake(word_, 1), "futex"); }
  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] { return FutexWake(word_, 1) == 0; });
  }
  void Verify() override { tally_.Verify("wakes of nobody"); }

 private:
  std::atomic<std::uint32_t> word_{0};
  Tally tally_;
};

HVBENCH_KERNEL(FutexWakeNobody, .name = "syscall/futex_wake",
               .summary = "FUTEX_WAKE on which nobody waits", .unit = "call",
               .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
