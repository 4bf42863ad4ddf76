#include "benchmarks/report/comparison_table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "fixtures/runtime_fixture.h"
#include "tests/unit/benchmarks/report/sample_rows.h"

namespace hvbench {
namespace {

using testing::FailedRow;
using testing::GoodRow;

std::string Table(const Results& results) {
  std::ostringstream out;
  PrintComparison(results, "native", out);
  return out.str();
}

// The table without its heading, lines without what pads them.
std::string Body(const Results& results) {
  std::istringstream lines(Table(results));
  std::string text;
  bool body = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("kernel")) body = true;
    if (!body) continue;
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

void Add(Results& results, const std::string& name, const std::vector<double>& times_ns) {
  for (const double ns : times_ns) results.Add(GoodRow(name, ns, 1000));
}

TEST(SpreadOf, IsTheMedianAndHalfTheRange) {
  const struct {
    std::vector<double> values;
    double median;
    double half_range;
  } cases[] = {
      {{5}, 5, 0}, {{1, 3}, 2, 1}, {{9, 1, 2}, 2, 4}, {{4, 1, 3, 2}, 2.5, 1.5}, {{7, 7, 7}, 7, 0}};
  for (const auto& c : cases) {
    const Spread spread = SpreadOf(c.values);
    EXPECT_EQ(spread.median, c.median);
    EXPECT_EQ(spread.half_range, c.half_range);
  }
}

TEST(ComparisonTable, MarksDisksFasterThanTheHostsOwn) {
  Results results;
  const auto add = [&](const std::string& runtime, double ns, double host_io) {
    for (const double noise : {-2.0, 0.0, 2.0}) {
      testing::Row row = GoodRow("disk/randread/depth:1/runtime:" + runtime, ns + noise, 1000);
      row.counters[kHostIoCounter] = host_io;
      results.Add(row);
    }
  };
  add("native", 100, 1);
  add("cached", 50, 0.25);
  add("slower", 150, 0.25);
  add("alike", 98, 0.25);  // within the spread
  const std::string body = Body(results);
  EXPECT_NE(body.find("0.50 [host I/O 0.25]"), std::string::npos) << body;
  EXPECT_EQ(body.find("1.50 ["), std::string::npos) << body;
  EXPECT_EQ(body.find("0.98 ["), std::string::npos) << body;
  EXPECT_EQ(body.find("100 ns ["), std::string::npos) << body;
}

TEST(ComparisonTable, MarksWhatThePeerOrTheLoadGeneratorLimited) {
  Results results;
  const auto add = [&](const std::string& runtime, const char* counter, double percent) {
    for (int i = 0; i < 2; ++i) {
      testing::Row row = GoodRow("network/a/runtime:" + runtime, 100, 1000);
      row.counters[counter] = percent;
      results.Add(row);
    }
  };
  add("native", "peer_busy_percent", 97);
  add("gvisor", "peer_busy_percent", 40);
  add("docker", "load_busy_percent", 90);
  const std::string body = Body(results);
  EXPECT_NE(body.find("100 ns [peer]"), std::string::npos) << body;
  EXPECT_EQ(body.find("1.00 [peer]"), body.rfind("1.00 [peer]")) << body;
  EXPECT_NE(body.find("1.00 [peer]"), std::string::npos) << body;
  EXPECT_NE(body.find("[peer]: the peer or the load generator"), std::string::npos) << body;
}

TEST(ComparisonTable, ShowsRatiosToTheBaseline) {
  Results results;
  Add(results, "cpu/primes/limit:10/runtime:native", {100, 110, 90});
  Add(results, "cpu/primes/limit:10/runtime:gvisor", {200, 200, 200});
  Add(results, "cpu/primes/limit:10/runtime:runc", {101, 99, 100});
  Add(results, "syscall/getppid/runtime:native", {50, 50, 50});
  Add(results, "syscall/getppid/runtime:gvisor", {1000, 1500, 1000});
  Add(results, "syscall/getppid/runtime:runc", {50'000, 50'000, 50'000});
  EXPECT_EQ(Body(results),
            "kernel                    native     gvisor       runc\n"
            "cpu/primes/limit:10  100 ns ±10%  2.00 ±10%  1.00 ±11%\n"
            "syscall/getppid        50 ns ±0%  20.0 ±25%   1000 ±0%\n")
      << Table(results);
}

TEST(ComparisonTable, SaysWhatItsNumbersAre) {
  Results results;
  Add(results, "cpu/primes/runtime:native", {100});
  Add(results, "cpu/primes/runtime:runc", {100});
  EXPECT_NE(Table(results).find("2.00 takes twice as long"), std::string::npos);
}

TEST(ComparisonTable, HasNoSpreadOfOneRepetition) {
  Results results;
  Add(results, "cpu/primes/runtime:native", {100});
  Add(results, "cpu/primes/runtime:runc", {150});
  EXPECT_EQ(Body(results),
            "kernel      native  runc\n"
            "cpu/primes  100 ns  1.50\n");
}

TEST(ComparisonTable, ChoosesUnitsForTheBaseline) {
  const struct {
    double ns;
    const char* text;
  } cases[] = {
      {0.25, "0.25 ns"}, {999, "999 ns"}, {1500, "1.5 us"}, {2.5e6, "2.5 ms"}, {3e9, "3 s"}};
  for (const auto& c : cases) {
    Results results;
    Add(results, "cpu/primes/runtime:native", {c.ns});
    Add(results, "cpu/primes/runtime:runc", {c.ns});
    EXPECT_NE(Body(results).find(c.text), std::string::npos) << Body(results);
  }
}

TEST(ComparisonTable, NumbersTheReasonsOfWhatWasNotMeasured) {
  Results results;
  Add(results, "disk/read/runtime:native", {100});
  results.Add(FailedRow("disk/read/runtime:docker", "SKIPPED: no io_uring"));
  results.Add(FailedRow("disk/read/runtime:gvisor", "ERROR: it died"));
  Add(results, "disk/write/runtime:native", {100});
  results.Add(FailedRow("disk/write/runtime:docker", "SKIPPED: no io_uring"));
  results.Add(FailedRow("disk/write/runtime:gvisor", "ERROR: it died again"));
  EXPECT_EQ(Body(results),
            "kernel      native       docker      gvisor\n"
            "disk/read   100 ns  skipped [1]  FAILED [2]\n"
            "disk/write  100 ns  skipped [1]  FAILED [3]\n"
            "\n"
            "[1] no io_uring\n"
            "[2] it died\n"
            "[3] it died again\n");
}

TEST(ComparisonTable, ShowsTimesWhereTheBaselineIsMissing) {
  Results results;
  results.Add(FailedRow("cpu/a/runtime:native", "ERROR: it died"));
  Add(results, "cpu/a/runtime:runc", {100, 100});
  Add(results, "cpu/b/runtime:runc", {2000, 2000});
  EXPECT_EQ(Body(results),
            "kernel      native        runc\n"
            "cpu/a   FAILED [1]  100 ns ±0%\n"
            "cpu/b                 2 us ±0%\n"
            "\n"
            "[1] it died\n");
}

TEST(ComparisonTable, IsNotThereForOneRuntime) {
  Results results;
  EXPECT_EQ(Table(results), "");
  Add(results, "cpu/a/runtime:runc", {100});
  Add(results, "cpu/b/runtime:runc", {100});
  EXPECT_EQ(Table(results), "");
}

// A cell that broke in its second repetition has one good one, and is still no result.
TEST(ComparisonTable, AFailureOutweighsEarlierRepetitions) {
  Results results;
  Add(results, "cpu/a/runtime:native", {100});
  Add(results, "cpu/a/runtime:runc", {100});
  results.Add(FailedRow("cpu/a/runtime:runc", "ERROR: it died"));
  EXPECT_NE(Body(results).find("FAILED [1]"), std::string::npos);
}

TEST(Results, CountsCellsByTheirOutcome) {
  Results results;
  Add(results, "cpu/a/runtime:native", {1, 2, 3});
  Add(results, "cpu/b/runtime:native", {1});
  results.Add(FailedRow("cpu/b/runtime:native", "ERROR: x"));
  results.Add(FailedRow("cpu/a/runtime:runc", "SKIPPED: y"));
  results.Add(FailedRow("cpu/a/runtime:runc", "SKIPPED: y"));
  EXPECT_EQ(results.Count(Outcome::kMeasured), 1);
  EXPECT_EQ(results.Count(Outcome::kFailed), 1);
  EXPECT_EQ(results.Count(Outcome::kSkipped), 1);
  EXPECT_EQ(results.kernels(), (std::vector<std::string>{"cpu/a", "cpu/b"}));
  EXPECT_EQ(results.runtimes(), (std::vector<std::string>{"native", "runc"}));
  const std::vector<double> times = results.Find("cpu/a", "native")->RealNs();
  ASSERT_EQ(times.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(times[i], static_cast<double>(i + 1), 1e-9);
  EXPECT_EQ(results.Find("cpu/a", "runc")->reason, "y");
  EXPECT_EQ(results.Find("cpu/b", "runc"), nullptr);
}

TEST(Results, LeavesOutWhatIsNoRepetitionOfOurs) {
  Results results;
  results.Add(GoodRow("BM_Other", 5, 1));
  benchmark::BenchmarkReporter::Run mean = GoodRow("cpu/a/runtime:native", 5, 1);
  mean.run_type = benchmark::BenchmarkReporter::Run::RT_Aggregate;
  results.Add(mean);
  EXPECT_TRUE(results.kernels().empty());
  EXPECT_TRUE(results.runtimes().empty());
}

}  // namespace
}  // namespace hvbench
