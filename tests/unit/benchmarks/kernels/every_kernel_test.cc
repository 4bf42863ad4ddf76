// What holds for every kernel, with the parameters of the smoke profile.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fixtures/agent/batch.h"
#include "fixtures/agent/clock.h"
#include "fixtures/agent/kernel.h"
#include "tests/unit/benchmarks/kernels/test_peer.h"

namespace hvbench::agent {
namespace {

struct Cell {
  const KernelSpec* spec;
  const protocol::ParameterSet* set;

  // As GoogleTest wants names: letters, digits and underscores.
  std::string Name() const {
    std::string name = spec->name;
    for (const auto& [key, value] : set->params)
      name.append("_").append(key).append("_").append(value);
    std::replace_if(
        name.begin(), name.end(),
        [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
    return name;
  }
};

void PrintTo(const Cell& cell, std::ostream* out) { *out << cell.Name(); }

std::vector<Cell> SmokeCells() {
  std::vector<Cell> cells;
  for (const KernelSpec& spec : AllKernels()) {
#if defined(__SANITIZE_THREAD__)  // its run-time delays handlers, which this kernel counts
    if (spec.name == "syscall/signal_delivery") continue;
#endif
    for (const protocol::ParameterSet& set : spec.parameter_sets) {
      if ((set.profiles & kSmoke) != 0) cells.push_back({&spec, &set});
    }
  }
  return cells;
}

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = testing::TempDir() + "hvbench-kernels-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw KernelFailed("mkdtemp", errno);
    path_ = pattern;
    std::filesystem::create_directories(path_ / "ext4/lost+found");  // as a volume with an ext4
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class EveryKernel : public testing::TestWithParam<Cell> {
 protected:
  // A prepared kernel, or nothing where this machine does not offer what it needs.
  std::unique_ptr<Kernel> Prepared() const {
    std::unique_ptr<Kernel> kernel = GetParam().spec->make();
    try {
      const bool needs_peer = (GetParam().spec->needs & protocol::kPeer) != 0;
      kernel->Prepare(Context(GetParam().set->params, scratch_.path(), kSeed,
                              {.volume_dir = scratch_.path(),
                               .block_device = {},
                               .peer = needs_peer ? TestPeer() : ""}));
    } catch (const Unsupported& unsupported) {
      reason_ = unsupported.what();
      return nullptr;
    }
    return kernel;
  }

  static constexpr std::uint64_t kSeed = 20240229;
  ScratchDirectory scratch_;
  mutable std::string reason_;  // why there is nothing
};

TEST_P(EveryKernel, IsRightForAnyCount) {
  const std::unique_ptr<Kernel> kernel = Prepared();
  if (kernel == nullptr) GTEST_SKIP() << reason_;
  for (const std::uint64_t iterations : {1u, 2u, 17u}) {
    kernel->Run(iterations);
    EXPECT_NO_THROW(kernel->Verify()) << iterations << " iterations";
  }
  kernel->Run(3);
  kernel->Run(2);
  EXPECT_NO_THROW(kernel->Verify()) << "two runs";
}

TEST_P(EveryKernel, NoticesThatNothingWasRun) {
  const std::unique_ptr<Kernel> kernel = Prepared();
  if (kernel == nullptr) GTEST_SKIP() << reason_;
  EXPECT_THROW(kernel->Verify(), WrongResult) << "before the first run";
  kernel->Run(2);
  kernel->Verify();
  EXPECT_THROW(kernel->Verify(), WrongResult) << "after a verified run";
}

TEST_P(EveryKernel, ReportsWorkAndCounters) {
  const std::unique_ptr<Kernel> kernel = Prepared();
  if (kernel == nullptr) GTEST_SKIP() << reason_;
  EXPECT_GE(kernel->WorkPerIteration().items, 1u);
  kernel->Run(2);
  for (const protocol::Counter& counter : kernel->Counters()) {
    EXPECT_TRUE(std::isfinite(counter.value)) << counter.name;
    EXPECT_NE(counter.name.find('_'), std::string::npos) << counter.name << " has no unit";
  }
}

// The least of several times of a batch: other programs can only make it longer.
std::uint64_t ShortestNs(Kernel& kernel, std::uint64_t iterations) {
  constexpr int kTries = 5;
  std::uint64_t shortest_ns = ~0ull;
  for (int i = 0; i < kTries; ++i) {
    shortest_ns = std::min(shortest_ns, TimeBatch(kernel, GuestClock(), iterations).elapsed_ns);
  }
  return shortest_ns;
}

// Finds passes that were left out where each pass has the same result.
TEST_P(EveryKernel, TakesLongerForMoreIterations) {
  const std::unique_ptr<Kernel> kernel = Prepared();
  if (kernel == nullptr) GTEST_SKIP() << reason_;
  constexpr std::uint64_t kEnoughNs = 500'000;  // far above what waking a thread costs
  std::uint64_t iterations = 1;
  while (ShortestNs(*kernel, iterations) < kEnoughNs) {
    iterations *= 4;
    ASSERT_LT(iterations, 1ull << 32) << "the time does not follow the count";
  }
  // Where there are few iterations, all may be under way at once (disk kernels). Other work on the
  // machine can stretch a batch, but not every time.
  constexpr int kAttempts = 5;
  bool takes_longer = false;
  for (int i = 0; i < kAttempts && !takes_longer; ++i) {
    takes_longer = ShortestNs(*kernel, 32 * iterations) > 3 * ShortestNs(*kernel, iterations);
  }
  EXPECT_TRUE(takes_longer);
}

// What a process holds that outlives a forgetful kernel.
struct Holdings {
  std::ptrdiff_t files = 0;
  std::ptrdiff_t threads = 0;
  std::ptrdiff_t mappings = 0;
  std::ptrdiff_t scratch_files = 0;
  bool has_children = false;
  std::vector<int> cpus;

  static Holdings Count(const std::filesystem::path& scratch) {
    const auto entries = [](const std::filesystem::path& directory) {
      return std::distance(std::filesystem::directory_iterator(directory), {});
    };
    Holdings now;
    now.files = entries("/proc/self/fd");
    now.threads = entries("/proc/self/task");
    now.scratch_files = entries(scratch);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their run-times map at will
    std::ifstream maps("/proc/self/maps");
    now.mappings = std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
#endif
    now.has_children = waitpid(-1, nullptr, WNOHANG) != -1;
    cpu_set_t set;
    sched_getaffinity(0, sizeof(set), &set);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) now.cpus.push_back(cpu);
    }
    return now;
  }

  bool operator==(const Holdings&) const = default;
  friend void PrintTo(const Holdings& holdings, std::ostream* out) {
    *out << holdings.files << " files, " << holdings.threads << " threads, " << holdings.mappings
         << " mappings, " << holdings.scratch_files << " scratch files, "
         << (holdings.has_children ? "children, " : "no children, ") << holdings.cpus.size()
         << " CPUs";
  }
};

TEST_P(EveryKernel, LeavesNothingBehind) {
  const auto use = [this] {
    const std::unique_ptr<Kernel> kernel = Prepared();
    if (kernel == nullptr) return;
    kernel->Run(3);
    kernel->Verify();
  };
  // What a kernel forgets is left each time. The C library keeps the stacks and arenas of as many
  // threads as ever ran at once, which may be more in a later use.
  constexpr int kUses = 6;
  Holdings before;
  Holdings after = Holdings::Count(scratch_.path());
  for (int i = 0; i < kUses && (i == 0 || after != before); ++i) {
    use();
    before = std::exchange(after, Holdings::Count(scratch_.path()));
  }
  EXPECT_EQ(after, before);
}

INSTANTIATE_TEST_SUITE_P(Smoke, EveryKernel, testing::ValuesIn(SmokeCells()),
                         [](const auto& test) { return test.param.Name(); });

TEST(AllKernels, AreSortedByName) {
  EXPECT_GE(AllKernels().size(), 1u);
  EXPECT_TRUE(
      std::is_sorted(AllKernels().begin(), AllKernels().end(),
                     [](const KernelSpec& a, const KernelSpec& b) { return a.name < b.name; }));
}

TEST(AllKernels, WithoutThePeerThatTheyNeedAreSkipped) {
  for (const KernelSpec& spec : AllKernels()) {
    if ((spec.needs & protocol::kPeer) == 0) continue;
    const Context context(spec.parameter_sets.front().params, testing::TempDir(), 1);
    EXPECT_THROW(spec.make()->Prepare(context), Unsupported) << spec.name;
  }
}

TEST(AllKernels, RefuseAParameterThatIsMissing) {
  for (const KernelSpec& spec : AllKernels()) {
    if (spec.parameter_sets.front().params.empty()) continue;
    EXPECT_THROW(spec.make()->Prepare(Context({}, testing::TempDir(), 1)), std::invalid_argument)
        << spec.name;
  }
}

// What each parameter of that name means in this suite's own kernels, and what their sets must say.
TEST(AllKernels, SayHowManyCpusTheyKeepBusy) {
  int sets = 0;
  for (const KernelSpec& spec : AllKernels()) {
    for (const protocol::ParameterSet& set : spec.parameter_sets) {
      std::uint64_t cpus = 1;
      for (const auto& [key, value] : set.params) {
        if (key == "threads" || key == "jobs" || key == "cpus") cpus = std::stoull(value);
      }
      EXPECT_EQ(set.cpus, cpus) << spec.name;
      sets += cpus > 1 ? 1 : 0;
    }
  }
  EXPECT_GT(sets, 0);
}

TEST(AllKernels, SayWhichStorageTheyTime) {
  std::map<std::string, std::set<int>> storage;  // by target
  for (const KernelSpec& spec : AllKernels()) {
    for (const protocol::ParameterSet& set : spec.parameter_sets) {
      std::string target;
      for (const auto& [key, value] : set.params) {
        if (key == "target") target = value;
      }
      storage[target].insert(set.storage);
    }
  }
  EXPECT_EQ(storage, (std::map<std::string, std::set<int>>{{"", {protocol::kNoStorage}},
                                                           {"ext4", {protocol::kHostStorage}},
                                                           {"raw", {protocol::kHostStorage}},
                                                           {"root", {protocol::kRootStorage}},
                                                           {"tmpfs", {protocol::kNoStorage}},
                                                           {"volume", {protocol::kHostStorage}}}));
}

}  // namespace
}  // namespace hvbench::agent
