// The way into the kernel and back: getppid does next to nothing there.
#include <sys/syscall.h>
#include <unistd.h>

#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class Getppid : public Kernel {
 public:
  void Prepare(const Context&) override { parent_ = getppid(); }
  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] { return syscall(SYS_getppid) == parent_; });
  }
  void Verify() override { tally_.Verify("getppid"); }

 private:
  long parent_ = 0;
  Tally tally_;
};

HVBENCH_KERNEL(Getppid, .name = "syscall/getppid",
               .summary = "getppid by syscall(2): the way into the kernel and back", .unit = "call",
               .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
