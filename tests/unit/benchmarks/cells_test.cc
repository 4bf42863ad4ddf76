#include "benchmarks/cells.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/unit/fixtures/support/measurement.h"

namespace hvbench {
namespace {

using protocol::kFull;
using protocol::kQuick;
using protocol::kSmoke;

protocol::ManifestReply Manifest() {
  return {{{"cpu/primes",
            "",
            "number",
            0,
            "",
            {},
            {{kSmoke, {{"limit", "10"}}}, {kQuick | kFull, {{"limit", "1000"}}}}},
           {"cpu/scaling",
            "",
            "item",
            0,
            "",
            {},
            {{kSmoke | kQuick | kFull, {{"threads", "1"}}},
             {kQuick | kFull, {{"threads", "2"}}, 2},
             // Whatever its parameters are called.
             {kFull, {{"sides", "four"}}, 4}}}}};
}

std::vector<std::string> Names(const std::vector<CellName>& cells) {
  std::vector<std::string> names;
  for (const CellName& cell : cells) names.push_back(FormatCellName(cell));
  return names;
}

TEST(MakeCells, HasTheRuntimesOfAKernelSideBySide) {
  EXPECT_EQ(Names(MakeCells(Manifest(), kQuick, 2, {"native", "runc"})),
            (std::vector<std::string>{
                "cpu/primes/limit:1000/runtime:native", "cpu/primes/limit:1000/runtime:runc",
                "cpu/scaling/threads:1/runtime:native", "cpu/scaling/threads:1/runtime:runc",
                "cpu/scaling/threads:2/runtime:native", "cpu/scaling/threads:2/runtime:runc"}));
}

TEST(MakeCells, LeavesOutServers) {
  protocol::ManifestReply manifest = Manifest();
  manifest.kernels[0].needs = protocol::kApplication;
  EXPECT_EQ(Names(MakeCells(manifest, kSmoke, 2, {"native"})),
            (std::vector<std::string>{"cpu/scaling/threads:1/runtime:native"}));
}

TEST(MakeCells, TakesTheSetsOfTheProfile) {
  EXPECT_EQ(Names(MakeCells(Manifest(), kSmoke, 8, {"a"})),
            (std::vector<std::string>{"cpu/primes/limit:10/runtime:a",
                                      "cpu/scaling/threads:1/runtime:a"}));
  EXPECT_EQ(MakeCells(Manifest(), kFull, 8, {"a"}).size(), 4u);
}

TEST(MakeCells, LeavesOutWhatNeedsMoreCpusThanAGuestHas) {
  EXPECT_EQ(MakeCells(Manifest(), kFull, 4, {"a"}).size(), 4u);
  EXPECT_EQ(MakeCells(Manifest(), kFull, 3, {"a"}).size(), 3u);
  EXPECT_EQ(MakeCells(Manifest(), kFull, 1, {"a"}).size(), 2u);
  protocol::ManifestReply endless = Manifest();
  endless.kernels[0].parameter_sets[1].cpus = ~std::uint64_t{0};
  EXPECT_EQ(MakeCells(endless, kFull, 4, {"a"}).size(), 3u);
}

// The name of a parameter is the kernel's affair.
TEST(MakeCells, TakesAnyParameterOfAKernelThatKeepsOneCpuBusy) {
  protocol::ManifestReply manifest = Manifest();
  manifest.kernels[1].parameter_sets = {{kFull, {{"threads", "64"}}}};
  EXPECT_EQ(Names(MakeCells(manifest, kFull, 1, {"a"})),
            (std::vector<std::string>{"cpu/primes/limit:1000/runtime:a",
                                      "cpu/scaling/threads:64/runtime:a"}));
}

TEST(MakeCells, MayBeNone) {
  EXPECT_TRUE(MakeCells(Manifest(), kQuick, 1, {}).empty());
  EXPECT_TRUE(MakeCells({}, kQuick, 1, {"a"}).empty());
}

const CellName kCells[] = {
    {"cpu/primes", {{"limit", "10"}}, "native"},
    {"cpu/primes", {{"limit", "100"}}, "docker-gvisor"},
    {"syscall/getppid", {}, "gvisor"},
    {"syscall/getppid", {}, "gvisor-ptrace"},
};

TEST(Matches, TakesFiltersLikeGoogleBenchmark) {
  const char* const filters[] = {
      "",
      "all",
      ".",
      ".*",
      "cpu",
      "^cpu/",
      "runtime:gvisor/",
      "runtime:gvisor(/|$)",
      "limit:10/",
      "limit:[0-9]+",
      "limit:[[:digit:]]+/",
      "getppid|primes",
      "(native|docker)",
      "manual_time$",
      "runtime:native$",
      "nothing",
      "-cpu",
      "-runtime:gvisor/",
      "-all",
      "-.",
      "-nothing",
      "-^cpu|gvisor/",
      "--cpu",
      "primes/limit:10{2}/",
      "a{2}|[.]",
  };
  for (const std::string filter : filters) {
    std::vector<std::string> ours;
    for (const CellName& cell : kCells) {
      if (Matches(cell, filter)) ours.push_back(FormatCellName(cell) + "/manual_time");
    }
    testing::Measurement m;
    for (const CellName& cell : kCells) m.Add(cell.runtime);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();  // it complains where nothing matches
    m.Run({std::begin(kCells), std::end(kCells)},
          {"--benchmark_list_tests=true", "--benchmark_filter=" + filter});
    ::testing::internal::GetCapturedStderr();
    std::istringstream listed(::testing::internal::GetCapturedStdout());
    std::vector<std::string> theirs;
    for (std::string line; std::getline(listed, line);) theirs.push_back(line);
    EXPECT_EQ(ours, theirs) << "--benchmark_filter=" << filter;
  }
}

TEST(Matches, TellsARuntimeFromOneWhoseNameBeginsTheSame) {
  EXPECT_TRUE(Matches(kCells[2], "runtime:gvisor/"));
  EXPECT_FALSE(Matches(kCells[3], "runtime:gvisor/"));
  EXPECT_FALSE(Matches(kCells[1], "runtime:gvisor/"));
}

// A shell script in the place of an agent.
class FakeAgent {
 public:
  explicit FakeAgent(const std::string& script) : path_(dir_.path() / "agent") {
    std::ofstream(path_) << "#!/bin/sh\n" << script << '\n';
    chmod(path_.c_str(), 0700);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  testing::TemporaryDir dir_;
  std::filesystem::path path_;
};

TEST(DescribeAgent, RefusesWhatIsNoAgent) {
  for (const char* script :
       {"exit 0", "exit 1", "echo hello", "printf 'HVB1\\001\\000'", "exec cat /dev/zero",
        "exec yes",
        // Its first frame never ends.
        "printf 'HVB1\\001\\000\\001\\000AAAA\\000\\000\\020\\000BBBB'; exec yes"}) {
    const FakeAgent agent(script);
    const auto begin = std::chrono::steady_clock::now();
    try {
      DescribeAgent(agent.path());
      ADD_FAILURE() << "no error: " << script;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("is not an agent"), std::string::npos) << e.what();
      EXPECT_LT(std::string(e.what()).size(), 300u) << "what it printed is no help";
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5)) << script;
  }
}

TEST(DescribeAgent, SaysThatThereIsNone) {
  try {
    DescribeAgent("/nowhere/hvbench-agent");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("/nowhere/hvbench-agent"), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("--hvbench_agent"), std::string::npos);
  }
}

}  // namespace
}  // namespace hvbench
