// A signal from a thread to itself: sent, handled, returned from.
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "benchmarks/kernels/support/check.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

constexpr int kSignal = SIGUSR1;

volatile std::uint64_t handled = 0;  // by the one thread to which the signal is sent

void Handle(int) { handled = handled + 1; }

class SignalDelivery : public Kernel {
 public:
  ~SignalDelivery() override {
    if (!installed_) return;
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    sigaction(kSignal, &action_before_, nullptr);
  }

  void Prepare(const Context&) override {
    struct sigaction action {};
    action.sa_handler = &Handle;
    sigemptyset(&action.sa_mask);
    RequireAvailable(sigaction(kSignal, &action, &action_before_), "sigaction");
    sigset_t unblocked;
    sigemptyset(&unblocked);
    sigaddset(&unblocked, kSignal);
    pthread_sigmask(SIG_UNBLOCK, &unblocked, &mask_before_);
    installed_ = true;
    process_ = getpid();
    thread_ = syscall(SYS_gettid);
  }

  void Run(std::uint64_t iterations) override {
    handled = 0;
    for (std::uint64_t i = 0; i < iterations; ++i) {
      if (syscall(SYS_tgkill, process_, thread_, kSignal) != 0) throw KernelFailed("tgkill", errno);
    }
    tally_.Record(iterations, handled);
  }

  void Verify() override { tally_.Verify("handled signals"); }

 private:
  bool installed_ = false;
  struct sigaction action_before_ {};
  sigset_t mask_before_{};
  pid_t process_ = 0;
  long thread_ = 0;
  Tally tally_;
};

HVBENCH_KERNEL(SignalDelivery, .name = "syscall/signal_delivery",
               .summary = "tgkill to the own thread, its handler, the return from it",
               .unit = "signal", .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
