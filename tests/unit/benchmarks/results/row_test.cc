#include "benchmarks/results/row.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fixtures/runtime_fixture.h"
#include "tests/unit/benchmarks/report/sample_rows.h"

namespace hvbench {
namespace {

using testing::FailedRow;
using testing::GoodRow;
using testing::Row;

constexpr char kName[] = "cpu/primes/runtime:native";

TEST(Row, KnowsItsOutcomeAndReason) {
  const struct {
    const char* message;
    Outcome outcome;
    const char* reason;
  } cases[] = {
      {"SKIPPED: no io_uring here", Outcome::kSkipped, "no io_uring here"},
      {"ERROR: it broke", Outcome::kFailed, "it broke"},
      {"of someone else's", Outcome::kFailed, "of someone else's"},
      {"ERROR: SKIPPED: a lie", Outcome::kFailed, "SKIPPED: a lie"},
      {"ERROR: ", Outcome::kFailed, ""},
  };
  for (const auto& c : cases) {
    const Row run = FailedRow(kName, c.message);
    EXPECT_EQ(OutcomeOf(run), c.outcome) << c.message;
    EXPECT_EQ(ReasonOf(run), c.reason);
  }
  EXPECT_EQ(OutcomeOf(GoodRow(kName, 5, 10)), Outcome::kMeasured);
}

TEST(Row, HasTheGuestsCpuTime) {
  Row run = GoodRow(kName, 100, 50);
  run.counters[kGuestCpuCounter] = 70;
  run.counters["p99_ns"] = 3;
  const Row row = Normalize(run);
  EXPECT_NEAR(row.GetAdjustedCPUTime(), 70, 1e-9);
  EXPECT_NEAR(row.GetAdjustedRealTime(), 100, 1e-9);
  EXPECT_FALSE(row.counters.contains(kGuestCpuCounter));
  EXPECT_TRUE(row.counters.contains("p99_ns"));
}

TEST(Row, HasTheGuestsCpuTimeInItsOwnUnit) {
  Row run = GoodRow(kName, 100, 50);
  run.time_unit = benchmark::kMicrosecond;
  run.counters[kGuestCpuCounter] = 70;
  EXPECT_NEAR(Normalize(run).GetAdjustedCPUTime(), 0.07, 1e-12);
}

TEST(Row, KeepsARatioARatio) {
  Row run = GoodRow(kName, 0, 3);
  run.run_type = Row::RT_Aggregate;
  run.aggregate_name = "cv";
  run.aggregate_unit = benchmark::kPercentage;
  run.real_accumulated_time = 0.02;
  run.counters[kGuestCpuCounter] = 0.05;
  const Row row = Normalize(run);
  EXPECT_EQ(row.real_accumulated_time, 0.02);
  EXPECT_EQ(row.cpu_accumulated_time, 0.05);
}

TEST(Row, ThatWasNotMeasuredLooksLikeNoTimeAtAll) {
  for (const benchmark::TimeUnit unit :
       {benchmark::kNanosecond, benchmark::kMicrosecond, benchmark::kMillisecond}) {
    Row run = FailedRow(kName, "ERROR: it broke");
    run.time_unit = unit;
    const Row row = Normalize(run);
    EXPECT_DOUBLE_EQ(row.GetAdjustedRealTime(), -1);
    EXPECT_DOUBLE_EQ(row.GetAdjustedCPUTime(), -1);
    EXPECT_EQ(OutcomeOf(row), Outcome::kFailed);
  }
}

TEST(Row, HasNumbersAlone) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    for (const char* counter : {kGuestCpuCounter, "host_cpu_ns"}) {
      Row run = GoodRow(kName, 100, 50);
      run.counters[kGuestCpuCounter] = 1;
      run.counters[counter] = bad;
      run.cpu_accumulated_time = bad;
      const Row row = Normalize(run);
      EXPECT_TRUE(std::isfinite(row.real_accumulated_time));
      EXPECT_TRUE(std::isfinite(row.cpu_accumulated_time));
      for (const auto& [name, value] : row.counters) EXPECT_TRUE(std::isfinite(value)) << name;
    }
  }
}

// A row on the screen is normalized twice where the screen shows JSON.
TEST(Row, IsTheSameWhenNormalizedAgain) {
  Row measured = GoodRow(kName, 100, 50);
  measured.counters[kGuestCpuCounter] = 70;
  for (const Row& run : {measured, FailedRow(kName, "ERROR: x")}) {
    const Row once = Normalize(run);
    const Row twice = Normalize(once);
    EXPECT_EQ(once.cpu_accumulated_time, twice.cpu_accumulated_time);
    EXPECT_EQ(once.real_accumulated_time, twice.real_accumulated_time);
    EXPECT_EQ(once.counters.size(), twice.counters.size());
  }
}

}  // namespace
}  // namespace hvbench
