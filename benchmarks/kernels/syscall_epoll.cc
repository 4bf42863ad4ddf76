// epoll_wait on a descriptor that is ready: nothing blocks.
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "benchmarks/kernels/support/tally.h"
#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {
namespace {

class Epoll : public Kernel {
 public:
  void Prepare(const Context&) override {
    event_ = UniqueFd(RequireAvailable(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
    epoll_ = UniqueFd(RequireAvailable(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
    epoll_event interest{};
    interest.events = EPOLLIN;  // level-triggered: the eventfd stays ready
    interest.data.u64 = kMark;
    RequireAvailable(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &interest), "epoll_ctl");
  }

  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] {
      epoll_event ready{};
      return epoll_wait(epoll_.get(), &ready, 1, -1) == 1 && ready.data.u64 == kMark;
    });
  }

  void Verify() override { tally_.Verify("ready events"); }

 private:
  static constexpr std::uint64_t kMark = 0x68766265;

  UniqueFd event_;
  UniqueFd epoll_;
  Tally tally_;
};

HVBENCH_KERNEL(Epoll, .name = "syscall/epoll", .summary = "epoll_wait on an eventfd that is ready",
               .unit = "call", .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
