#include "benchmarks/results/statistics.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/statistics/univariate_statistics.hpp>
#include <cmath>
#include <cstdint>
#include <random>

namespace hvbench {
namespace {

namespace math = boost::math;

constexpr double kTail = 0.025;  // on each side of a 95 % interval
// Fixed, so that the same file always gives the same interval.
constexpr std::uint64_t kSeed = 20'210'428;

double Mean(const std::vector<double>& values) { return math::statistics::mean(values); }

// The square of the mean's standard error; 0 for one value.
double StandardErrorSquared(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  return math::statistics::sample_variance(values) / static_cast<double>(values.size());
}

double UpperT(double degrees_of_freedom) {
  return math::quantile(
      math::complement(math::students_t_distribution<double>(degrees_of_freedom), kTail));
}

// Means of values drawn from `values` with replacement.
std::vector<double> Resample(const std::vector<double>& values, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  // Not std::uniform_int_distribution, whose numbers differ between libraries; the bias of the
  // remainder is below 1e-15 here.
  const auto n = static_cast<std::uint64_t>(values.size());
  std::vector<double> means(kBootstrapReplicates);
  for (double& mean : means) {
    double sum = 0;
    for (std::uint64_t i = 0; i < n; ++i) sum += values[random() % n];
    mean = sum / static_cast<double>(n);
  }
  return means;
}

// With linear interpolation between neighbours. `sorted` is not empty.
double QuantileOf(const std::vector<double>& sorted, double probability) {
  const double at = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

Interval ExpandedPercentile(std::vector<double> replicates, std::size_t sampling_units) {
  std::sort(replicates.begin(), replicates.end());
  const auto n = static_cast<double>(sampling_units);
  const double z = std::sqrt(n / (n - 1)) * UpperT(n - 1);
  const double tail = math::cdf(math::normal_distribution<double>(), -z);
  return {std::exp(QuantileOf(replicates, tail)), std::exp(QuantileOf(replicates, 1 - tail))};
}

Interval Student(double mean, double standard_error, double degrees_of_freedom) {
  const double half = UpperT(degrees_of_freedom) * standard_error;
  return {std::exp(mean - half), std::exp(mean + half)};
}

// B. L. Welch, Biometrika 34, 1947. The squares of both standard errors, and how many values are
// behind each.
double WelchDegreesOfFreedom(double a, std::size_t n_a, double b, std::size_t n_b) {
  const double both = a + b;
  const double scale = a * a / static_cast<double>(n_a - 1) + b * b / static_cast<double>(n_b - 1);
  // Nothing varies: any number will do.
  return scale > 0 ? both * both / scale : static_cast<double>(std::min(n_a, n_b) - 1);
}

}  // namespace

RatioEstimate PairedRatio(const std::vector<double>& log_ratios) {
  RatioEstimate estimate;
  const double mean = Mean(log_ratios);
  estimate.ratio = std::exp(mean);
  estimate.sampling_units = log_ratios.size();
  estimate.replicates = Resample(log_ratios, kSeed);
  if (estimate.sampling_units >= kMinBootstrapSamplingUnits) {
    estimate.interval = ExpandedPercentile(estimate.replicates, estimate.sampling_units);
  } else if (estimate.sampling_units >= 2) {
    estimate.interval = Student(mean, std::sqrt(StandardErrorSquared(log_ratios)),
                                static_cast<double>(estimate.sampling_units - 1));
  }
  return estimate;
}

RatioEstimate UnpairedRatio(const std::vector<double>& baseline, const std::vector<double>& other) {
  RatioEstimate estimate;
  const double mean = Mean(other) - Mean(baseline);
  estimate.ratio = std::exp(mean);
  estimate.sampling_units = std::min(baseline.size(), other.size());
  estimate.replicates = Resample(other, kSeed);
  const std::vector<double> subtracted = Resample(baseline, kSeed + 1);
  for (std::size_t i = 0; i < subtracted.size(); ++i) estimate.replicates[i] -= subtracted[i];
  if (estimate.sampling_units >= kMinBootstrapSamplingUnits) {
    estimate.interval = ExpandedPercentile(estimate.replicates, estimate.sampling_units);
  } else if (estimate.sampling_units >= 2) {
    const double a = StandardErrorSquared(baseline);
    const double b = StandardErrorSquared(other);
    estimate.interval =
        Student(mean, std::sqrt(a + b), WelchDegreesOfFreedom(a, baseline.size(), b, other.size()));
  }
  return estimate;
}

void GeometricMean::Add(const RatioEstimate& estimate) {
  sampling_units_ =
      count_ == 0 ? estimate.sampling_units : std::min(sampling_units_, estimate.sampling_units);
  ++count_;
  log_sum_ += std::log(estimate.ratio);
  replicate_sums_.resize(kBootstrapReplicates);
  for (std::size_t i = 0; i < replicate_sums_.size(); ++i) {
    replicate_sums_[i] += estimate.replicates[i];
  }
}

RatioEstimate GeometricMean::Estimate() const {
  RatioEstimate estimate;
  const auto count = static_cast<double>(count_);
  estimate.ratio = std::exp(log_sum_ / count);
  estimate.sampling_units = sampling_units_;
  for (const double sum : replicate_sums_) estimate.replicates.push_back(sum / count);
  if (sampling_units_ >= 2)
    estimate.interval = ExpandedPercentile(estimate.replicates, sampling_units_);
  return estimate;
}

double CoefficientOfVariation(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  return std::sqrt(math::statistics::sample_variance(values)) / Mean(values);
}

}  // namespace hvbench
