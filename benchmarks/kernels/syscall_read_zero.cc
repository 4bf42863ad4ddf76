// A read of one byte that a driver answers at once.
#include "benchmarks/kernels/support/tally.h"
#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {
namespace {

class ReadZero : public Kernel {
 public:
  void Prepare(const Context&) override { zero_ = OpenDevice("/dev/zero", O_RDONLY); }

  void Run(std::uint64_t iterations) override {
    byte_ = kStale;
    tally_.Run(iterations, [this] { return read(zero_.get(), &byte_, 1) == 1; });
  }

  void Verify() override {
    tally_.Verify("reads of one byte");
    if (byte_ != 0) throw WrongResult("/dev/zero gave a byte that is not zero");
  }

 private:
  static constexpr char kStale = 1;

  UniqueFd zero_;
  char byte_ = kStale;
  Tally tally_;
};

HVBENCH_KERNEL(ReadZero, .name = "syscall/read_zero", .summary = "read of 1 byte of /dev/zero",
               .unit = "call", .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
