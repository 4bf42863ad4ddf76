// The kernel of page faults leaves the first touch to its first batch.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>

#include "fixtures/agent/kernel.h"

namespace hvbench::agent {
namespace {

// Of this process, by proc(5), in MiB.
std::int64_t ResidentMib() {
  std::int64_t total = 0;
  std::int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE) >> 20;
}

TEST(PageFault, NothingIsTouchedBeforeTheFirstBatch) {
  const auto& kernels = AllKernels();
  const auto spec = std::find_if(kernels.begin(), kernels.end(),
                                 [](const auto& s) { return s.name == "memory/page_fault"; });
  ASSERT_NE(spec, kernels.end());
  for (const char* pages : {"4k", "thp"}) {
    const std::unique_ptr<Kernel> kernel = spec->make();
    const std::int64_t before = ResidentMib();
    try {
      kernel->Prepare(Context({{"region_mib", "64"}, {"pages", pages}}, "", 1));
    } catch (const Unsupported&) {
      continue;
    }
    EXPECT_LT(ResidentMib() - before, 16) << pages;
    kernel->Run(1);
    EXPECT_GT(ResidentMib() - before, 48) << pages;
    EXPECT_NO_THROW(kernel->Verify()) << pages;
  }
}

}  // namespace
}  // namespace hvbench::agent
