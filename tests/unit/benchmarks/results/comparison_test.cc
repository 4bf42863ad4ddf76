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

// A comparison in so many blocks, whose logarithms of ratios are `center` and `spread` around it.
Comparison OfBlocks(double center, double spread, int blocks) {
  CellResult baseline;
  CellResult other;
  for (int block = 1; block <= blocks; ++block) {
    const double sign = block % 2 == 0 ? 1 : -1;
    baseline.samples.push_back(SampleOf(100, 2 * block, block));
    other.samples.push_back(SampleOf(100 * std::exp(center + sign * spread), 2 * block + 1, block));
  }
  return Compare(baseline, other, Pairing::kSameRun);
}

TEST(Verdict, LooksAtAllOfTheInterval) {
  const struct {
    double center;
    double spread;
    int blocks;
    Verdict verdict;
  } cases[] = {{0.03, 0.01, 30, Verdict::kHigher},
               {0.015, 0.01, 30, Verdict::kHigher},
               {-0.03, 0.01, 30, Verdict::kLower},
               {0, 0.01, 30, Verdict::kNoDifference},
               {0.012, 0.01, 30, Verdict::kNoDifference},
               // A slow boot among ten is not in six.
               {0, 0.005, 6, Verdict::kTooFewBoots},
               {0.03, 0.005, 6, Verdict::kHigher},
               // The interval would be near 1, but a difference of 5 % would be missed too often.
               {0, 0.085, 30, Verdict::kTooNoisy},
               {0.02, 0.2, 30, Verdict::kTooNoisy},
               {0, 0, 1, Verdict::kOneBoot},
               {1, 0, 1, Verdict::kOneBoot}};
  for (const auto& c : cases) {
    const Comparison comparison = OfBlocks(c.center, c.spread, c.blocks);
    EXPECT_EQ(NameOf(comparison.verdict, Quantity()), NameOf(c.verdict, Quantity()))
        << c.center << ' ' << c.spread << ' ' << c.blocks;
    EXPECT_EQ(comparison.detectable.has_value(), c.blocks > 1);
  }
}

// Alone it is called slower; beside many that are equal, that much may be chance.
TEST(JudgeTogether, AsksMoreWhereThereIsMuchToFind) {
  std::vector<Comparison> comparisons(1, OfBlocks(0.03, 0.018, 8));
  EXPECT_EQ(comparisons[0].verdict, Verdict::kHigher);
  const double detectable = *comparisons[0].detectable;
  for (int i = 0; i < 99; ++i) comparisons.push_back(OfBlocks(0, 0.01, 8));
  comparisons.push_back(OfBlocks(0, 0, 1));  // has no interval, and counts for nothing
  std::vector<Comparison*> together;
  for (Comparison& comparison : comparisons) together.push_back(&comparison);
  JudgeTogether(together);
  EXPECT_EQ(comparisons[0].verdict, Verdict::kTooNoisy);
  EXPECT_GT(comparisons[0].estimate.interval->low, 1.01) << "the interval is that of one alone";
  EXPECT_GT(*comparisons[0].detectable, detectable);
  EXPECT_EQ(comparisons.back().verdict, Verdict::kOneBoot);
  EXPECT_LT(comparisons[0].adjusted_p, 100 * PValue(comparisons[0].estimate, 0.01) + 1e-9);
}

TEST(IsNarrow, WantsEnoughBlocksToKnowOfSlowBoots) {
  EXPECT_FALSE(IsNarrow(OfBlocks(0, 0, 28).estimate, 0.02));
  EXPECT_TRUE(IsNarrow(OfBlocks(0, 0, 29).estimate, 0.02));
  EXPECT_FALSE(IsNarrow(OfBlocks(0, 0.1, 29).estimate, 0.02));
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

// However far apart the repetitions of two boots are: boots may differ by that.
// The subsystem startup boots guests of its own, so that its rows have no boot's number.
TEST(Compare, BlocksStandForBootsWhereThereIsNoOneBoot) {
  CellResult before;
  CellResult after;
  for (int block = 1; block <= 4; ++block) {
    before.samples.push_back(SampleOf(100 + block % 2, 0, block));
    after.samples.push_back(SampleOf(200 + block % 2, 0, block));
  }
  const Comparison comparison = Compare(before, after, Pairing::kOtherRun);
  EXPECT_EQ(comparison.sampling_unit, SamplingUnit::kBoot);
  EXPECT_EQ(comparison.estimate.sampling_units, 4u);
  EXPECT_EQ(comparison.verdict, Verdict::kHigher);
}

TEST(Compare, OneBootHasNoIntervalAndNoVerdict) {
  CellResult cell;
  CellResult slower;
  for (const double ns : {100.0, 101.0, 99.0}) {
    cell.samples.push_back(SampleOf(ns, 4));
    slower.samples.push_back(SampleOf(2 * ns, 5));
  }
  const Comparison comparison = Compare(cell, slower, Pairing::kSameRun);
  EXPECT_EQ(comparison.sampling_unit, SamplingUnit::kRepetition);
  EXPECT_NEAR(comparison.estimate.ratio, 2, 1e-9);
  EXPECT_FALSE(comparison.estimate.interval.has_value());
  EXPECT_FALSE(comparison.median.interval.has_value());
  EXPECT_EQ(comparison.verdict, Verdict::kOneBoot);
}

CellResult InBlocks(const std::vector<double>& times_ns, int first_boot) {
  CellResult cell;
  for (std::size_t i = 0; i < times_ns.size(); ++i) {
    const int block = static_cast<int>(i) + 1;
    cell.samples.push_back(SampleOf(times_ns[i], first_boot + 2 * block, block));
  }
  return cell;
}

// What disturbs a block disturbs all benchmarks in it: two that err together are no surer than one,
// two that err apart are. And a benchmark that ended earlier leaves the blocks that both have.
TEST(MeanComparison, IsOverTheBlocksThatAllHave) {
  const CellResult baseline = InBlocks({100, 100, 100, 100, 100, 100}, 0);
  const CellResult disturbed = InBlocks({100, 120, 90, 110, 130, 80}, 1);
  const CellResult opposite =
      InBlocks({100, 100 / 1.2, 100 / 0.9, 100 / 1.1, 100 / 1.3, 100 / 0.8}, 1);
  const Interval one = *Compare(baseline, disturbed, Pairing::kSameRun).estimate.interval;
  MeanComparison together;
  together.Add(baseline, disturbed, Pairing::kSameRun);
  together.Add(baseline, disturbed, Pairing::kSameRun);
  EXPECT_NEAR(together.Estimate().estimate.interval->low, one.low, 1e-9);
  MeanComparison apart;
  apart.Add(baseline, disturbed, Pairing::kSameRun);
  apart.Add(baseline, opposite, Pairing::kSameRun);
  EXPECT_NEAR(apart.Estimate().estimate.interval->low, 1, 1e-9);
  EXPECT_NEAR(apart.Estimate().estimate.interval->high, 1, 1e-9);
  MeanComparison shorter;
  shorter.Add(InBlocks({100, 100, 100}, 0), InBlocks({200, 200, 200}, 1), Pairing::kSameRun);
  shorter.Add(InBlocks({100, 100, 100, 100}, 0), InBlocks({800, 800, 800, 8}, 1),
              Pairing::kSameRun);
  const Comparison shared = shorter.Estimate();
  EXPECT_EQ(shared.estimate.sampling_units, 3u);
  EXPECT_NEAR(shared.estimate.ratio, 4, 1e-9);
  EXPECT_NEAR(shared.estimate.interval->high, 4, 1e-9);
}

TEST(MeanComparison, HasTheRangeOfItsBenchmarksAndNoIntervalOfOneBoot) {
  CellResult a;
  CellResult b;
  for (const double ns : {100.0, 101.0, 99.0}) {
    a.samples.push_back(SampleOf(ns, 1));
    b.samples.push_back(SampleOf(4 * ns, 2));
  }
  MeanComparison mean;
  mean.Add(a, a, Pairing::kOtherRun);
  mean.Add(a, b, Pairing::kOtherRun);
  EXPECT_EQ(mean.count(), 2u);
  EXPECT_NEAR(mean.Range().low, 1, 1e-9);
  EXPECT_NEAR(mean.Range().high, 4, 1e-9);
  EXPECT_NEAR(mean.Estimate().estimate.ratio, 2, 1e-9);
  EXPECT_EQ(mean.Estimate().verdict, Verdict::kOneBoot);
}

TEST(Summary, HasAMeanForEachGroupAndRuntime) {
  SampleFile sample;
  sample.Add("cpu/a/runtime:native", {100, 100, 100}, -1);
  sample.Add("cpu/a/runtime:runc", {200, 200, 200}, -11);
  sample.Add("cpu/b/runtime:native", {10, 10, 10}, -1);
  sample.Add("cpu/b/runtime:runc", {80, 80, 80}, -11);
  sample.Add("disk/a/runtime:native", {1, 1, 1}, -1).Fail("disk/a/runtime:runc", "SKIPPED: none");
  const ResultFile file = sample.File();
  const Summary summary(file.results, "native");
  ASSERT_EQ(summary.groups().size(), 2u);
  const GroupSummary* cpu = summary.FindGroup("cpu", "runc");
  ASSERT_NE(cpu, nullptr);
  ASSERT_TRUE(cpu->mean.has_value());
  EXPECT_NEAR(cpu->mean->estimate.ratio, 4, 1e-9);
  EXPECT_NEAR(cpu->range.low, 2, 1e-9);
  EXPECT_NEAR(cpu->range.high, 8, 1e-9);
  EXPECT_EQ(cpu->verdicts, (std::map<Verdict, int>{{Verdict::kHigher, 2}}));
  const GroupSummary* disk = summary.FindGroup("disk", "runc");
  ASSERT_NE(disk, nullptr);
  EXPECT_FALSE(disk->mean.has_value());
  EXPECT_EQ(disk->skipped, 1);
  EXPECT_EQ(summary.Find("cpu/a", "native"), nullptr) << "the baseline itself";
  EXPECT_EQ(BaselineOf(file.results, "native"), "native");
  EXPECT_EQ(BaselineOf(file.results, "kata"), "native") << "the first, if that is not there";
}

}  // namespace
}  // namespace hvbench
