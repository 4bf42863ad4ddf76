// One page from nothing to use and back: mmap, the fault of its first touch, munmap.
#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/tally.h"
#include "benchmarks/kernels/support/usage_meter.h"

namespace hvbench::agent::kernels {
namespace {

class MmapPage : public Kernel {
 public:
  void Prepare(const Context&) override {
    counts_faults_ = GuestCountsFaults();
    page_bytes_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  }

  void Run(std::uint64_t iterations) override {
    const std::uint64_t faults_before = MinorFaults();
    tally_.Run(iterations, [this] {
      void* const page =
          mmap(nullptr, page_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (page == MAP_FAILED) return false;
      *static_cast<volatile char*>(page) = 1;
      last_ = page;
      return munmap(page, page_bytes_) == 0;
    });
    missing_faults_ = counts_faults_ && MinorFaults() - faults_before < iterations;
  }

  void Verify() override {
    tally_.Verify("mapped pages");
    if (missing_faults_) throw WrongResult("fewer faults than pages");
    unsigned char resident = 0;
    if (mincore(last_, 1, &resident) == 0) throw WrongResult("the page is still mapped");
  }

 private:
  std::size_t page_bytes_ = 0;
  bool counts_faults_ = false;
  bool missing_faults_ = false;
  void* last_ = nullptr;
  Tally tally_;
};

HVBENCH_KERNEL(MmapPage, .name = "syscall/mmap_page",
               .summary = "mmap of one page, its first touch, munmap", .unit = "page",
               .parameter_sets = {{kSmoke | kReal, {}}});

}  // namespace
}  // namespace hvbench::agent::kernels
