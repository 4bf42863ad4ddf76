// clock_gettime through the vDSO, which enters the kernel only if the clock source forces it to.
#include <sys/auxv.h>

#include <ctime>

#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class ClockGettimeVdso : public Kernel {
 public:
  void Prepare(const Context&) override {
    if (getauxval(AT_SYSINFO_EHDR) == 0) throw Unsupported("the guest maps no vDSO");
  }

  void Run(std::uint64_t iterations) override {
    timespec last{};
    clock_gettime(CLOCK_MONOTONIC, &last);
    tally_.Run(iterations, [&] {
      timespec now;
      const int result = clock_gettime(CLOCK_MONOTONIC, &now);
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

HVBENCH_KERNEL(ClockGettimeVdso, .name = "syscall/clock_gettime_vdso",
               .summary = "clock_gettime(CLOCK_MONOTONIC) through the vDSO", .unit = "call",
               .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
