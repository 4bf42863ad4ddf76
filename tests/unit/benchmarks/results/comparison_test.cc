#include "benchmarks/results/comparison.h"

#include <gtest/gtest.h>

#include <cmath>

#include "benchmarks/results/summary.h"
#include "tests/unit/benchmarks/report/sample_results.h"

namespace hvbench {
namespace {

using testing::SampleFile;

Sample SampleOf(double ns, int boot, int block = 0) {
  Sample sample;
  sample.value = ns;
  sample.boot = boot;
  sample.block = block;
  return sample;
}

RatioEstimate Between(double low, double high) {
  RatioEstimate estimate;
  estimate.ratio = std::sqrt(low * high);
  estimate.interval = Interval{low, high};
  return estimate;
}

TEST(Judge, LooksAtAllOfTheInterval) {
  const struct {
    double low;
    double high;
    Verdict verdict;
  } cases[] = {{1.02, 1.04, Verdict::kHigher},
               {1.005, 1.03, Verdict::kNoDifference},
               {0.95, 0.98, Verdict::kLower},
               {0.97, 0.999, Verdict::kNoDifference},
               {0.99, 1.01, Verdict::kNoDifference},
               {0.9, 1.2, Verdict::kTooNoisy},
               {1.005, 1.3, Verdict::kTooNoisy},
               {2, 40, Verdict::kHigher},
               {1.000001, 1.009, Verdict::kNoDifference}};
  for (const auto& c : cases) {
    EXPECT_EQ(Judge(Between(c.low, c.high)), c.verdict) << c.low << ' ' << c.high;
  }
  EXPECT_EQ(Judge(RatioEstimate{}), Verdict::kTooNoisy) << "no interval";
}

// Blocks drift by 50 %, and in each the runtime takes 10 % longer.
TEST(Compare, PairsWhatIsOfOneBlock) {
  CellResult baseline;
  CellResult other;
  for (int block = 1; block <= 8; ++block) {
    const double drift = 1 + 0.07 * block;
    for (int visit = 0; visit < 2; ++visit) {
      baseline.samples.push_back(SampleOf(100 * drift, 2 * block, block));
      other.samples.push_back(SampleOf(110 * drift, 2 * block + 1, block));
    }
  }
  const Comparison paired = Compare(baseline, other, Pairing::kSameRun);
  EXPECT_EQ(paired.sampling_unit, SamplingUnit::kBlock);
  EXPECT_EQ(paired.estimate.sampling_units, 8u);
  EXPECT_EQ(paired.verdict, Verdict::kHigher);
  EXPECT_NEAR(paired.estimate.interval->low, 1.1, 1e-9);
  EXPECT_NEAR(paired.estimate.interval->high, 1.1, 1e-9);
  EXPECT_GT(paired.baseline_cv, 0.1);

  // The same numbers of two runs, whose block 1 was not at one time.
  const Comparison unpaired = Compare(baseline, other, Pairing::kOtherRun);
  EXPECT_EQ(unpaired.sampling_unit, SamplingUnit::kBoot);
  EXPECT_EQ(unpaired.verdict, Verdict::kTooNoisy);
}

TEST(Compare, RepetitionsOfABootAreOneValue) {
  CellResult baseline;
  CellResult other;
  for (int i = 0; i < 12; ++i) {
    baseline.samples.push_back(SampleOf(100 + i % 4, 1 + i / 4));
    other.samples.push_back(SampleOf(100 + i % 4, 5 + i / 4));
  }
  const Comparison comparison = Compare(baseline, other, Pairing::kSameRun);
  EXPECT_EQ(comparison.sampling_unit, SamplingUnit::kBoot);
  EXPECT_EQ(comparison.estimate.sampling_units, 3u);
  EXPECT_NEAR(comparison.baseline_cv, 0, 1e-9);
}

TEST(Compare, OneBootHasRepetitionsAlone) {
  CellResult cell;
  for (const double ns : {100.0, 101.0, 99.0}) cell.samples.push_back(SampleOf(ns, 4));
  const Comparison comparison = Compare(cell, cell, Pairing::kSameRun);
  EXPECT_EQ(comparison.sampling_unit, SamplingUnit::kRepetition);
  EXPECT_EQ(comparison.estimate.sampling_units, 3u);
}

TEST(Summary, HasAMeanForEachSubsystemAndRuntime) {
  SampleFile sample;
  sample.Add("cpu/a/runtime:native", {100, 100, 100}).Add("cpu/a/runtime:runc", {200, 200, 200});
  sample.Add("cpu/b/runtime:native", {10, 10, 10}).Add("cpu/b/runtime:runc", {80, 80, 80});
  sample.Add("disk/a/runtime:native", {1, 1, 1}).Fail("disk/a/runtime:runc", "SKIPPED: none");
  const ResultFile file = sample.File();
  const Summary summary(file.results, "native");
  EXPECT_EQ(summary.subsystems(), (std::vector<std::string>{"cpu", "disk"}));
  const SubsystemSummary* cpu = summary.FindSubsystem("cpu", "runc");
  ASSERT_NE(cpu, nullptr);
  EXPECT_EQ(cpu->mean.count(), 2u);
  EXPECT_NEAR(cpu->mean.Estimate().ratio, 4, 1e-9);
  EXPECT_EQ(cpu->higher, 2);
  const SubsystemSummary* disk = summary.FindSubsystem("disk", "runc");
  ASSERT_NE(disk, nullptr);
  EXPECT_EQ(disk->mean.count(), 0u);
  EXPECT_EQ(disk->skipped, 1);
  EXPECT_EQ(summary.Find("cpu/a", "native"), nullptr) << "the baseline itself";
  EXPECT_EQ(BaselineOf(file.results, "native"), "native");
  EXPECT_EQ(BaselineOf(file.results, "kata"), "native") << "the first, if that is not there";
}

}  // namespace
}  // namespace hvbench
