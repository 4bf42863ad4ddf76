// Changing the protection of memory that is in use: page table entries and their invalidation.
#include <sys/syscall.h>

#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

// Asks the kernel to write there: it answers with an error where the program would be killed.
bool IsWritable(std::byte* address) {
  return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, address) == 0;
}

class Mprotect : public Kernel {
 public:
  void Prepare(const Context& context) override {
    region_ = Mapping(context.Number("size_kib") * kKiB, Pages::kSmall);
    region_.Populate();
  }

  // Takes the right to write away and gives it back, in turn.
  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] {
      writable_ = !writable_;
      const int protection = writable_ ? PROT_READ | PROT_WRITE : PROT_READ;
      return mprotect(region_.data(), region_.bytes(), protection) == 0;
    });
  }

  void Verify() override {
    tally_.Verify("mprotect");
    std::byte* const last_page = region_.data() + region_.bytes() - kSmallPageBytes;
    if (IsWritable(region_.data()) != writable_ || IsWritable(last_page) != writable_) {
      throw WrongResult("the memory does not have the protection that was set last");
    }
  }

 private:
  Mapping region_;
  bool writable_ = true;
  Tally tally_;
};

HVBENCH_KERNEL(Mprotect, .name = "memory/mprotect",
               .summary = "mprotect of touched memory, read-only and writable in turn",
               .unit = "call",
               .parameter_sets = {{kSmoke | kReal, {{"size_kib", "4"}}},
                                  {kFull, {{"size_kib", "2048"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels
