// Mapping and unmapping memory that is never touched: the bookkeeping alone.
#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/tally.h"

namespace hvbench::agent::kernels {
namespace {

class MmapMunmap : public Kernel {
 public:
  void Prepare(const Context& context) override { bytes_ = context.Number("size_kib") * kKiB; }

  void Run(std::uint64_t iterations) override {
    tally_.Run(iterations, [this] {
      last_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      return last_ != MAP_FAILED && munmap(last_, bytes_) == 0;
    });
  }

  void Verify() override {
    tally_.Verify("mmap and munmap");
    unsigned char resident = 0;
    if (mincore(last_, 1, &resident) == 0) throw WrongResult("the memory is still mapped");
  }

 private:
  std::size_t bytes_ = 0;
  void* last_ = nullptr;
  Tally tally_;
};

HVBENCH_KERNEL(MmapMunmap, .name = "memory/mmap_munmap",
               .summary = "mmap and munmap of anonymous memory that is not touched", .unit = "pair",
               .parameter_sets = {{kSmoke | kReal, {{"size_kib", "4"}}},
                                  {kFull, {{"size_kib", "2048"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels
