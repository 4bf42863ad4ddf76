// Standard error is no terminal under a test runner, so these are the plain lines.
#include "benchmarks/report/progress.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <regex>
#include <sstream>

namespace hvbench {
namespace {

const CellName kFirst{"cpu/primes", {}, "native"};
const CellName kSecond{"cpu/primes", {}, "gvisor"};

class ProgressTest : public ::testing::Test {
 protected:
  // Captured before the Progress looks whether it is a terminal.
  void SetUp() override { ::testing::internal::CaptureStderr(); }
  static std::vector<std::string> Lines() {
    std::istringstream text(::testing::internal::GetCapturedStderr());
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
};

TEST_F(ProgressTest, HasOneLineABenchmark) {
  Progress progress;
  progress.Begin(6);
  for (const CellName& cell : {kFirst, kFirst, kFirst, kSecond, kSecond, kSecond}) {
    progress.BeginRepetition(cell);
    progress.Clear();
  }
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "[1/6] cpu/primes/runtime:native, 0:00 elapsed");
  EXPECT_TRUE(std::regex_match(
      lines[1],
      std::regex(R"(\[4/6\] cpu/primes/runtime:gvisor, 0:\d\d elapsed, about 0:\d\d left)")))
      << lines[1];
}

TEST_F(ProgressTest, HasNotesOfItsOwn) {
  Progress progress;
  progress.Note("cannot stop runc");
  EXPECT_EQ(Lines(), std::vector<std::string>{"hvbench: cannot stop runc"});
}

TEST_F(ProgressTest, NeverCountsBeyondTheEnd) {
  for (const int repetitions : {0, 1}) {
    Progress progress;
    progress.Begin(repetitions);
    for (int i = 0; i < 10; ++i) progress.BeginRepetition(i % 2 == 0 ? kFirst : kSecond);
  }
  for (const std::string& line : Lines()) {
    EXPECT_TRUE(line.starts_with("[1/1] ") || line.starts_with("[0/0] ")) << line;
    EXPECT_EQ(line.find('-'), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace hvbench
