// Real comparisons: a difference that is known to be there is found, one that is not is not.
#include <fstream>

#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

class ComparisonTest : public ProgramTest {
 protected:
  // Compares native with runtimes of that file, in the kernel that can be slowed.
  ProgramResult RunSlowed(const std::string& runtimes_file, const std::string& runtimes) {
    std::ofstream(dir_ / "runtimes.json") << runtimes_file;
    program_ = HVBENCH_TEST_SLOWED_PROGRAM;
    return Run({"--hvbench_runtimes_file=" + (dir_ / "runtimes.json").string(),
                "--hvbench_runtimes=" + runtimes, "--hvbench_compare",
                "--benchmark_filter=cpu/chain", "--benchmark_min_time=0.01",
                "--hvbench_interval_percent=4", "--hvbench_budget_s=20",
                "--benchmark_out=" + (dir_ / "r.json").string()});
  }
};

// A quarter more work: far outside of any noise that a loaded machine makes.
TEST_F(ComparisonTest, AKnownDifferenceIsFound) {
  const ProgramResult result = RunSlowed(
      R"({"runtimes": [{"name": "slow", "launcher": "slowed-native", "options": ["percent=25"]}]})",
      "native,slow");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("slower"), std::string::npos) << result.out;
  EXPECT_EQ(Leftovers(), std::vector<std::string>());

  const auto json = ReadJson("r.json");
  EXPECT_EQ(json.at("context").at("comparison_baseline"), "native");
  const auto& rows = json.at("benchmarks");
  int repetitions = 0;
  int aggregates = 0;
  for (const auto& row : rows) {
    const bool aggregate = row.at("run_type") == "aggregate";
    (aggregate ? aggregates : repetitions) += 1;
    if (aggregate) continue;
    EXPECT_GT(row.at("boot").get<double>(), 0) << row;
    EXPECT_GT(row.at("block").get<double>(), 0) << row;
  }
  EXPECT_EQ(aggregates, 2 * 4) << "mean, median, stddev and cv of two runtimes";
  // Two visits in each of at least two blocks, whatever the machine is at.
  EXPECT_GE(repetitions, 2 * 2 * 2);
  EXPECT_EQ(repetitions % 4, 0);
}

TEST_F(ComparisonTest, ASelfTestPrintsItsFalsePositives) {
  const ProgramResult result =
      Run({"selftest", "--rounds=1", "--blocks=2", "--hvbench_runtimes=native",
           "--benchmark_min_time=0.005", "--benchmark_filter=cpu/(primes|sha256)"});
  // Two comparisons are too few to hold a machine under load to 5 %.
  EXPECT_TRUE(result.exit_code == 0 || result.exit_code == 1) << result.err;
  EXPECT_NE(result.out.find("false positives"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("native"), std::string::npos) << result.out;
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

}  // namespace
}  // namespace hvbench::test
