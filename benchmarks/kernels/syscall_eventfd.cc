// An event counter raised and taken by the same thread: nobody waits.
#include <sys/eventfd.h>

#include "benchmarks/kernels/support/tally.h"
#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {
namespace {

class Eventfd : public Kernel {
 public:
  void Prepare(const Context&) override {
    event_ = UniqueFd(RequireAvailable(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
  }

  void Run(std::uint64_t iterations) override {
    std::uint64_t raised = 0;
    tally_.Run(iterations, [&] {
      ++raised;
      std::uint64_t taken = 0;
      return write(event_.get(), &raised, sizeof(raised)) == sizeof(raised) &&
             read(event_.get(), &taken, sizeof(taken)) == sizeof(taken) && taken == raised;
    });
  }

  void Verify() override { tally_.Verify("values of the eventfd"); }

 private:
  UniqueFd event_;
  Tally tally_;
};

HVBENCH_KERNEL(Eventfd, .name = "syscall/eventfd",
               .summary = "write and read of an eventfd by one thread", .unit = "pair",
               .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
