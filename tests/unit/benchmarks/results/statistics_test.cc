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

std::vector<double> Normal(std::mt19937_64& random, double mean, double deviation, int count) {
  std::normal_distribution<double> distribution(mean, deviation);
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(distribution(random));
  return values;
}

// How often a 95 % interval holds the truth, of `trials` experiments.
template <typename Experiment>
double Coverage(double truth, int trials, Experiment experiment) {
  std::mt19937_64 random(7);
  int inside = 0;
  for (int i = 0; i < trials; ++i) {
    const RatioEstimate estimate = experiment(random);
    inside += estimate.interval->low <= truth && truth <= estimate.interval->high ? 1 : 0;
  }
  return static_cast<double>(inside) / trials;
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
TEST(PairedRatio, IsStudentsBelowSixValues) {
  const RatioEstimate estimate = PairedRatio({3, 4, 5});
  EXPECT_NEAR(std::log(estimate.interval->low), 4 - 4.302653 / std::sqrt(3.0), 1e-5);
  EXPECT_NEAR(std::log(estimate.interval->high), 4 + 4.302653 / std::sqrt(3.0), 1e-5);
}

TEST(PairedRatio, IsTheSameEachTime) {
  const std::vector<double> values = Logs({1, 1.1, 0.9, 1.2, 1.05, 0.97, 1.01});
  const RatioEstimate a = PairedRatio(values);
  const RatioEstimate b = PairedRatio(values);
  EXPECT_EQ(a.interval->low, b.interval->low);
  EXPECT_EQ(a.interval->high, b.interval->high);
}

// 400 experiments: the standard error of a coverage of 95 % is 1.1 %.
TEST(PairedRatio, HoldsTheTruthInNineteenOfTwenty) {
  for (const int count : {3, 6, 8, 12, 30}) {
    const double coverage = Coverage(std::exp(0.03), 400, [&](std::mt19937_64& random) {
      return PairedRatio(Normal(random, 0.03, 0.02, count));
    });
    EXPECT_GE(coverage, count == 6 ? 0.91 : 0.92) << count;
    EXPECT_LE(coverage, 0.99) << count;
  }
}

TEST(UnpairedRatio, HoldsTheTruthInNineteenOfTwenty) {
  for (const int count : {3, 6, 12}) {
    const double coverage = Coverage(std::exp(0.1), 400, [&](std::mt19937_64& random) {
      const std::vector<double> baseline = Normal(random, 5, 0.02, count);
      return UnpairedRatio(baseline, Normal(random, 5.1, 0.05, count + 2));
    });
    EXPECT_GE(coverage, 0.92) << count;
  }
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

TEST(GeometricMean, IsOfTheRatios) {
  GeometricMean mean;
  mean.Add(PairedRatio(Logs({2, 2, 2})));
  mean.Add(PairedRatio(Logs({8, 8, 8, 8})));
  const RatioEstimate estimate = mean.Estimate();
  EXPECT_EQ(mean.count(), 2u);
  EXPECT_NEAR(estimate.ratio, 4, 1e-12);
  EXPECT_EQ(estimate.sampling_units, 3u);
  EXPECT_NEAR(estimate.interval->low, 4, 1e-9);
}

// Two benchmarks of the same blocks that err together are no surer than one; that err apart, are.
TEST(GeometricMean, DrawsBlocksWhole) {
  const std::vector<double> values = Logs({1, 1.2, 0.9, 1.1, 1.3, 0.8, 1.0, 1.15});
  std::vector<double> opposite;
  for (const double value : values) opposite.push_back(-value);
  GeometricMean together;
  together.Add(PairedRatio(values));
  together.Add(PairedRatio(values));
  GeometricMean apart;
  apart.Add(PairedRatio(values));
  apart.Add(PairedRatio(opposite));
  const Interval one = *PairedRatio(values).interval;
  EXPECT_NEAR(together.Estimate().interval->low, one.low, 1e-9);
  EXPECT_NEAR(apart.Estimate().interval->low, 1, 1e-9);
  EXPECT_NEAR(apart.Estimate().interval->high, 1, 1e-9);
}

TEST(CoefficientOfVariation, IsTheDeviationByTheMean) {
  EXPECT_EQ(CoefficientOfVariation({5}), 0);
  EXPECT_NEAR(CoefficientOfVariation({9, 11}), std::sqrt(2.0) / 10, 1e-12);
}

}  // namespace
}  // namespace hvbench
