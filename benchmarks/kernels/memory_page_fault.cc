// First touch of anonymous memory. A batch cannot map more than the guest has, so each pass gives
// the region's pages back and touches them again; the counters tell the two halves apart. From the
// second pass on a virtual machine's pages are the host's already. So Prepare touches none of the
// region: the first pass in a new guest is what startup/first_touch measures.
#include "benchmarks/kernels/support/mapping.h"
#include "benchmarks/kernels/support/usage_meter.h"
#include "fixtures/agent/clock.h"

namespace hvbench::agent::kernels {
namespace {

class PageFault : public Kernel {
 public:
  void Prepare(const Context& context) override {
    clock_ = context.clock();
    const Pages pages = PagesOf(context);
    page_bytes_ = pages == Pages::kHuge ? kHugePageBytes : kSmallPageBytes;
    counts_faults_ = GuestCountsFaults();
    const Mapping probe(kHugePageBytes, pages);
    if (pages == Pages::kHuge) probe.Populate();
    probe.RequireItsPages();
    region_ = Mapping(context.Number("region_mib") * kMiB, pages);
  }

  void Run(std::uint64_t iterations) override {
    const std::uint64_t faults_before = MinorFaults();
    release_ns_ = touch_ns_ = 0;
    for (std::uint64_t i = 0; i < iterations; ++i) {
      const std::uint64_t begin = clock_.NowNs();
      if (madvise(region_.data(), region_.bytes(), MADV_DONTNEED) != 0) {
        throw KernelFailed("madvise(MADV_DONTNEED)", errno);
      }
      const std::uint64_t released = clock_.NowNs();
      Touch();
      touch_ns_ += clock_.NowNs() - released;
      release_ns_ += released - begin;
    }
    faults_ = MinorFaults() - faults_before;
    touches_ = iterations * PageCount();
  }

  void Verify() override {
    if (touches_ == 0) throw WrongResult("nothing was touched");
    // The same tolerance for huge pages that the guest lacked as in Mapping.
    if (counts_faults_ && faults_ < touches_ / 20 * 19) {
      throw WrongResult(std::to_string(faults_) + " faults for " + std::to_string(touches_) +
                        " pages");
    }
    for (std::size_t at = 0; at < region_.bytes(); at += page_bytes_)
      CheckPage(region_.data() + at);
    if (!region_.HasItsPages()) throw WrongResult("the pages were not huge ones");
    touches_ = 0;
  }

  Work WorkPerIteration() const override {
    return {.items = PageCount(), .bytes = region_.bytes()};
  }

  // Per page, of the last Run.
  std::vector<protocol::Counter> Counters() const override {
    const double pages = touches_ == 0 ? 1.0 : static_cast<double>(touches_);
    return {{"touch_ns", static_cast<double>(touch_ns_) / pages},
            {"release_ns", static_cast<double>(release_ns_) / pages}};
  }

 private:
  static constexpr std::byte kTouched{0x5a};
  static constexpr std::byte kStale{0xa5};

  std::size_t PageCount() const { return region_.bytes() / page_bytes_; }

  void Touch() {
    for (std::size_t at = 0; at < region_.bytes(); at += page_bytes_) region_.data()[at] = kTouched;
  }

  // Fails unless the page was new when it was touched, and marks it for the next check.
  static void CheckPage(std::byte* page) {
    if (page[0] != kTouched) throw WrongResult("a page was not touched");
    if (page[1] != std::byte{0}) throw WrongResult("a page was not given back");
    page[1] = kStale;
  }

  GuestClock clock_;
  Mapping region_;
  std::size_t page_bytes_ = kSmallPageBytes;
  bool counts_faults_ = false;
  std::uint64_t faults_ = 0;
  std::uint64_t touches_ = 0;
  std::uint64_t touch_ns_ = 0;
  std::uint64_t release_ns_ = 0;
};

HVBENCH_KERNEL(PageFault, .name = "memory/page_fault",
               .summary = "First touch of a page of anonymous memory, and its release",
               .unit = "page",
               .parameter_sets = {{kSmoke, {{"region_mib", "4"}, {"pages", "4k"}}},
                                  {kSmoke, {{"region_mib", "4"}, {"pages", "thp"}}},
                                  {kReal, {{"region_mib", "32"}, {"pages", "4k"}}},
                                  {kReal, {{"region_mib", "32"}, {"pages", "thp"}}},
                                  {kTouched64Mib, {{"region_mib", "64"}, {"pages", "4k"}}}});

}  // namespace
}  // namespace hvbench::agent::kernels
