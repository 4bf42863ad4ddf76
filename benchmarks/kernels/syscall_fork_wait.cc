// A copy of this process that ends at once.
#include "benchmarks/kernels/support/child.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class ForkWait : public Kernel {
 public:
  void Prepare(const Context&) override { ReturnFreeMemory(); }

  void Run(std::uint64_t iterations) override {
    int code = 0;
    tally_.Run(iterations, [&] {
      code = (code + 1) % 128;
      return ExitStatusOf([code] { _exit(code); }) == code;
    });
  }

  void Verify() override { tally_.Verify("exit statuses of children"); }

 private:
  Tally tally_;
};

HVBENCH_KERNEL(ForkWait, .name = "syscall/fork_wait", .summary = "fork, the child's _exit, waitpid",
               .unit = "process", .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
