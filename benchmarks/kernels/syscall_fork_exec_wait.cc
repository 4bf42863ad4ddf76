// A new program from start to end: this one, which ends at once if its argument is "--exit".
#include <array>

#include "benchmarks/kernels/support/child.h"
#include "benchmarks/kernels/support/tally.h"
#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {
namespace {

constexpr char kProgram[] = "/proc/self/exe";

class ForkExecWait : public Kernel {
 public:
  void Prepare(const Context&) override {
    ReturnFreeMemory();
    OpenDevice(kProgram, O_RDONLY);
    if (!RunsProgram()) throw KernelFailed("this program does not end with 0 at --exit");
  }

  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [] { return RunsProgram(); });
  }

  void Verify() override { tally_.Verify("programs that ended with 0"); }

 private:
  static bool RunsProgram() {
    return ExitStatusOf([] {
             std::array<char, 8> name = {"hvbench"};
             std::array<char, 7> argument = {"--exit"};
             const std::array<char*, 3> arguments = {name.data(), argument.data(), nullptr};
             execv(kProgram, arguments.data());
             _exit(126);
           }) == 0;
  }

  Tally tally_;
};

HVBENCH_KERNEL(ForkExecWait, .name = "syscall/fork_exec_wait",
               .summary = "fork, execve of a static program that ends at once, waitpid",
               .unit = "process", .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
