// clock_gettime by syscall(2): a small system call that writes to the caller's memory.
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class ClockGettimeSyscall : public Kernel {
 public:
  void Run(std::uint64_t iterations) override {
    timespec last{};
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &last);
    tally_.Run(iterations, [&] {
      timespec now{};
      const long result = syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
      const bool ascends =
          now.tv_sec > last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec >= last.tv_nsec);
      last = now;
      return result == 0 && ascends;
    });
  }

  void Verify() override { tally_.Verify("times that do not go back"); }

 private:
  Tally tally_;
};

HVBENCH_KERNEL(ClockGettimeSyscall, .name = "syscall/clock_gettime_syscall",
               .summary = "clock_gettime(CLOCK_MONOTONIC) by syscall(2)", .unit = "call",
               .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
