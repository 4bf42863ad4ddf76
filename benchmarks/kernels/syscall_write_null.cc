// A write of one byte that a driver drops at once.
#include "benchmarks/kernels/support/tally.h"
#include "benchmarks/kernels/support/unique_fd.h"

namespace hvbench::agent::kernels {
namespace {

class WriteNull : public Kernel {
 public:
  void Prepare(const Context&) override { null_ = OpenDevice("/dev/null", O_WRONLY); }
  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] { return write(null_.get(), "", 1) == 1; });
  }
  void Verify() override { tally_.Verify("writes of one byte"); }

 private:
  UniqueFd null_;
  Tally tally_;
};

HVBENCH_KERNEL(WriteNull, .name = "syscall/write_null", .summary = "write of 1 byte to /dev/null",
               .unit = "call", .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
