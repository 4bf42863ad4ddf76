#include "benchmarks/results/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace hvbench {
namespace {

std::vector<double> Logs(const std::vector<double>& values) {
  std::vector<double> logs;
  for (const double value : values) logs.push_back(std::log(value));
  return logs;
}

TEST(PairedRatio, IsTheGeometricMean) {
  const RatioEstimate estimate = PairedRatio(Logs({2, 8}));
  EXPECT_NEAR(estimate.ratio, 4, 1e-12);
  EXPECT_EQ(estimate.sampling_units, 2u);
}

TEST(PairedRatio, HasNoIntervalOfOneValue) {
  const RatioEstimate estimate = PairedRatio(Logs({3}));
  EXPECT_NEAR(estimate.ratio, 3, 1e-12);
  EXPECT_FALSE(estimate.interval.has_value());
}

TEST(PairedRatio, IsSureOfWhatNeverVaries) {
  for (const std::size_t count : {2u, 5u, 6u, 20u}) {
    const RatioEstimate estimate = PairedRatio(std::vector<double>(count, std::log(1.5)));
    ASSERT_TRUE(estimate.interval.has_value());
    EXPECT_NEAR(estimate.interval->low, 1.5, 1e-9);
    EXPECT_NEAR(estimate.interval->high, 1.5, 1e-9);
  }
}

// Of 3, 4, 5: mean 4, standard error 1 / sqrt(3), t of 2 degrees of freedom 4.303.
TEST(PairedRatio, IsStudentsWhereNothingIsSkewed) {
  const RatioEstimate estimate = PairedRatio({3, 4, 5});
  EXPECT_NEAR(std::log(estimate.interval->low), 4 - 4.302653 / std::sqrt(3.0), 1e-5);
  EXPECT_NEAR(std::log(estimate.interval->high), 4 + 4.302653 / std::sqrt(3.0), 1e-5);
}

// One boot of ten is slow: the truth is more likely far above the mean than far below.
TEST(PairedRatio, ReachesFartherToTheSideOfTheSlowBoots) {
  std::vector<double> logs(10, 0);
  for (std::size_t i = 0; i < logs.size(); ++i) logs[i] = 0.01 * static_cast<double>(i % 3);
  logs[4] = 0.5;
  const RatioEstimate estimate = PairedRatio(logs);
  const double mean = std::log(estimate.ratio);
  const double t = 2.262157 * estimate.standard_error;  // of 9 degrees of freedom
  EXPECT_GT(estimate.skewness, 0);
  EXPECT_NEAR(std::log(estimate.interval->low), mean - t, 1e-5) << "Student's is the wider one";
  EXPECT_GT(std::log(estimate.interval->high), mean + 1.5 * t);
}

TEST(PairedMedian, IsOfOrderStatistics) {
  const MedianEstimate of_five = PairedMedian({1, 2, 3, 4, 5});
  EXPECT_NEAR(std::log(of_five.ratio), 3, 1e-12);
  EXPECT_FALSE(of_five.interval.has_value()) << "2 / 2^5 is above 5 %";
  // From the tables of the sign test: of six all, of nine those but one at each end, of 29 from the
  // ninth on.
  const struct {
    int count;
    int left_out;
  } cases[] = {{6, 0}, {8, 0}, {9, 1}, {12, 2}, {29, 8}};
  for (const auto& c : cases) {
    std::vector<double> values;
    for (int i = c.count; i > 0; --i) values.push_back(i);
    const MedianEstimate estimate = PairedMedian(values);
    ASSERT_TRUE(estimate.interval.has_value()) << c.count;
    EXPECT_NEAR(std::log(estimate.interval->low), 1 + c.left_out, 1e-9) << c.count;
    EXPECT_NEAR(std::log(estimate.interval->high), c.count - c.left_out, 1e-9) << c.count;
  }
}

TEST(UnpairedMedian, ReachesFromTheLowestToTheHighestRatio) {
  EXPECT_FALSE(UnpairedMedian({1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6, 7}).interval.has_value());
  const MedianEstimate estimate =
      UnpairedMedian({1, 2, 3, 4, 5, 6, 7}, {11, 12, 13, 14, 15, 16, 17});
  EXPECT_NEAR(std::log(estimate.ratio), 10, 1e-9);
  EXPECT_NEAR(std::log(estimate.interval->low), 4, 1e-9);
  EXPECT_NEAR(std::log(estimate.interval->high), 16, 1e-9);
}

// Welch's example of two unequal variances, and a side of two beside a larger one.
TEST(UnpairedRatio, HasTheDegreesOfFreedomOfWelch) {
  EXPECT_NEAR(UnpairedRatio({1, 2, 3, 4}, {2, 4, 6, 8}).degrees_of_freedom, 25.0 * 3 / 17, 1e-9);
  EXPECT_EQ(UnpairedRatio({1, 2}, {2, 4, 6, 8}).degrees_of_freedom, 1);
}

TEST(UnpairedRatio, TurnsAroundWithItsSides) {
  const std::vector<double> a = Logs({100, 101, 99});
  const std::vector<double> b = Logs({201, 202, 198, 200});
  const RatioEstimate forth = UnpairedRatio(a, b);
  const RatioEstimate back = UnpairedRatio(b, a);
  EXPECT_NEAR(forth.ratio * back.ratio, 1, 1e-12);
  EXPECT_NEAR(forth.interval->low * back.interval->high, 1, 1e-9);
  EXPECT_EQ(forth.sampling_units, 3u);
}

// p is below 5 % if and only if the interval is beyond the smallest difference.
TEST(PValue, AgreesWithTheInterval) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal(0.03, 0.03);
  int beyond = 0;
  for (int i = 0; i < 2000; ++i) {
    std::vector<double> logs;
    for (int block = 0; block < 3 + i % 9; ++block)
      logs.push_back(std::exp(10 * normal(random)) / 20 - 0.05);
    const RatioEstimate estimate = PairedRatio(logs);
    const bool is_beyond = estimate.interval->low > 1.01 || estimate.interval->high < 1 / 1.01;
    EXPECT_EQ(PValue(estimate, 0.01) < 0.05, is_beyond) << i;
    beyond += is_beyond ? 1 : 0;
  }
  EXPECT_GT(beyond, 200);
  EXPECT_LT(beyond, 1800);
  EXPECT_EQ(PValue(PairedRatio({1}), 0.01), 1) << "one value";
  EXPECT_EQ(PValue(PairedRatio({0.5, 0.5}), 0.01), 0) << "nothing varies";
}

// The example of Benjamini and Hochberg's paper (1995, section 3.2): four of fifteen.
TEST(AdjustedPValues, AreThoseOfBenjaminiAndHochberg) {
  const std::vector<double> p = {0.3240, 0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298,
                                 0.0344, 0.0459, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
  const std::vector<double> adjusted = AdjustedPValues(p);
  int rejected = 0;
  for (const double value : adjusted) rejected += value <= 0.05 ? 1 : 0;
  EXPECT_EQ(rejected, 4);
  EXPECT_NEAR(adjusted[1], 0.0015, 1e-12);
  EXPECT_NEAR(adjusted[4], 0.0095 * 15 / 4, 1e-12);
  EXPECT_NEAR(adjusted[14], 1, 1e-12);
  EXPECT_TRUE(AdjustedPValues({}).empty());
}

// Of two values: t of one degree of freedom 12.706 and 1.376, chi squared's 20 % 0.0642.
TEST(MinimumDetectableRatio, GrowsWithTheNoise) {
  const RatioEstimate estimate = PairedRatio({0, 0.02});
  const double expected = 1.01 * std::exp((12.7062 + 1.37638) * 0.01 / std::sqrt(0.0641848));
  EXPECT_NEAR(*MinimumDetectableRatio(estimate, 0.01, 0.05), expected, 1e-4);
  EXPECT_GT(*MinimumDetectableRatio(estimate, 0.01, 0.005), expected) << "one of ten comparisons";
  EXPECT_FALSE(MinimumDetectableRatio(PairedRatio({1}), 0.01, 0.05).has_value());
}

TEST(CoefficientOfVariation, IsTheDeviationByTheMean) {
  EXPECT_EQ(CoefficientOfVariation({5}), 0);
  EXPECT_NEAR(CoefficientOfVariation({9, 11}), std::sqrt(2.0) / 10, 1e-12);
}

}  // namespace
}  // namespace hvbench
