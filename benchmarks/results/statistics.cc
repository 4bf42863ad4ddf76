#include "benchmarks/results/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/statistics/univariate_statistics.hpp>
#include <cmath>
#include <numeric>

namespace hvbench {
namespace {

namespace math = boost::math;

using StudentsT = math::students_t_distribution<double>;

double Mean(const std::vector<double>& values) { return math::statistics::mean(values); }

// The square of the mean's standard error; 0 for one value.
double StandardErrorSquared(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  return math::statistics::sample_variance(values) / static_cast<double>(values.size());
}

// The value that t exceeds with this probability.
double UpperT(double degrees_of_freedom, double probability) {
  return math::quantile(math::complement(StudentsT(degrees_of_freedom), probability));
}

// The third central moment of the mean, without bias; 0 below three values.
double ThirdMoment(const std::vector<double>& values) {
  if (values.size() < 3) return 0;
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += std::pow(value - mean, 3);
  const auto n = static_cast<double>(values.size());
  return sum * n / ((n - 1) * (n - 2)) / (n * n);
}

// x = (estimate - truth) / standard error with its skewness taken out: x + s x^2 / 3 + s^2 x^3 / 27
// + s / 6, which is a cube, and its inverse.
double HallTransformed(double x, double skewness) {
  if (skewness == 0) return x;
  return (std::pow(1 + skewness * x / 3, 3) - 1) / skewness + skewness / 6;
}

double HallInverse(double t, double skewness) {
  if (skewness == 0) return t;
  return 3 / skewness * (std::cbrt(1 + skewness * (t - skewness / 6)) - 1);
}

// `third_moment` and `variance` are the estimate's, not the values'.
RatioEstimate EstimateOf(double mean, double variance, double third_moment,
                         double degrees_of_freedom, std::size_t sampling_units) {
  RatioEstimate estimate;
  estimate.ratio = std::exp(mean);
  estimate.sampling_units = sampling_units;
  if (sampling_units < 2) return estimate;
  const double error = std::sqrt(variance);
  estimate.standard_error = error;
  estimate.skewness = variance > 0 ? third_moment / (variance * error) : 0;
  estimate.degrees_of_freedom = degrees_of_freedom;
  const double t = UpperT(degrees_of_freedom, (1 - kConfidence) / 2);
  const double below = std::max(t, HallInverse(t, estimate.skewness));
  const double above = std::max(t, -HallInverse(-t, estimate.skewness));
  estimate.interval = Interval{std::exp(mean - below * error), std::exp(mean + above * error)};
  return estimate;
}

// The squares of both standard errors, and how many values are behind each.
double DegreesOfFreedom(double a, std::size_t n_a, double b, std::size_t n_b) {
  const std::size_t fewer = std::min(n_a, n_b);
  const double both = a + b;
  const double scale = a * a / static_cast<double>(n_a - 1) + b * b / static_cast<double>(n_b - 1);
  // Where nothing varies, any number will do.
  if ((fewer < 4 && n_a != n_b) || scale <= 0) return static_cast<double>(fewer) - 1;
  return both * both / scale;
}

double MedianOfSorted(const std::vector<double>& sorted) {
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Of the median of what the values were drawn from: from the value that has `k` below it to the one
// that has `k` above it, with the largest k for which that holds the median often enough. Fewer
// than k + 1 of n values are below a median with the probability of so few heads of n coins.
std::optional<Interval> IntervalOfOrder(const std::vector<double>& sorted, double confidence) {
  const std::size_t n = sorted.size();
  const math::binomial_distribution<double> heads(static_cast<double>(n), 0.5);
  const double tail = (1 - confidence) / 2;
  if (math::cdf(heads, 0.0) > tail) return std::nullopt;
  const auto k = static_cast<std::size_t>(math::quantile(heads, tail));  // rounds down
  return Interval{sorted[k], sorted[n - 1 - k]};
}

}  // namespace

RatioEstimate PairedRatio(const std::vector<double>& log_ratios) {
  return EstimateOf(Mean(log_ratios), StandardErrorSquared(log_ratios), ThirdMoment(log_ratios),
                    static_cast<double>(log_ratios.size()) - 1, log_ratios.size());
}

RatioEstimate UnpairedRatio(const std::vector<double>& baseline, const std::vector<double>& other) {
  const double a = StandardErrorSquared(baseline);
  const double b = StandardErrorSquared(other);
  return EstimateOf(Mean(other) - Mean(baseline), a + b, ThirdMoment(other) - ThirdMoment(baseline),
                    DegreesOfFreedom(a, baseline.size(), b, other.size()),
                    std::min(baseline.size(), other.size()));
}

MedianEstimate PairedMedian(std::vector<double> log_ratios) {
  std::sort(log_ratios.begin(), log_ratios.end());
  MedianEstimate estimate{std::exp(MedianOfSorted(log_ratios)), std::nullopt};
  if (const auto of_logs = IntervalOfOrder(log_ratios, kConfidence)) {
    estimate.interval = Interval{std::exp(of_logs->low), std::exp(of_logs->high)};
  }
  return estimate;
}

MedianEstimate UnpairedMedian(std::vector<double> baseline, std::vector<double> other) {
  std::sort(baseline.begin(), baseline.end());
  std::sort(other.begin(), other.end());
  MedianEstimate estimate{std::exp(MedianOfSorted(other) - MedianOfSorted(baseline)), std::nullopt};
  constexpr double kOfEach = (1 + kConfidence) / 2;
  const auto a = IntervalOfOrder(baseline, kOfEach);
  const auto b = IntervalOfOrder(other, kOfEach);
  if (a && b) estimate.interval = Interval{std::exp(b->low - a->high), std::exp(b->high - a->low)};
  return estimate;
}

double PValue(const RatioEstimate& estimate, double smallest) {
  if (!estimate.interval) return 1;
  const double mean = std::log(estimate.ratio);
  const double beyond = std::abs(mean) - std::log1p(smallest);
  if (beyond <= 0) return 1;
  if (estimate.standard_error <= 0) return 0;
  const double sign = mean > 0 ? 1 : -1;
  const double x = beyond / estimate.standard_error;
  const double t = std::min(x, HallTransformed(x, sign * estimate.skewness));
  return std::min(1.0, 2 * math::cdf(math::complement(StudentsT(estimate.degrees_of_freedom), t)));
}

std::vector<double> AdjustedPValues(const std::vector<double>& p_values) {
  std::vector<std::size_t> descending(p_values.size());
  std::iota(descending.begin(), descending.end(), std::size_t{0});
  std::sort(descending.begin(), descending.end(),
            [&](std::size_t a, std::size_t b) { return p_values[a] > p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  const auto all = static_cast<double>(p_values.size());
  double rank = all;
  double lowest = 1;
  for (const std::size_t i : descending) {
    lowest = std::min(lowest, p_values[i] * all / rank--);
    adjusted[i] = lowest;
  }
  return adjusted;
}

std::optional<double> MinimumDetectableRatio(const RatioEstimate& estimate, double smallest,
                                             double alpha) {
  if (!estimate.interval) return std::nullopt;
  const double df = estimate.degrees_of_freedom;
  const double t = UpperT(df, alpha / 2) + UpperT(df, 1 - kPower);
  const double fewest = math::quantile(math::chi_squared_distribution<double>(df), 1 - kPower);
  return (1 + smallest) * std::exp(t * estimate.standard_error * std::sqrt(df / fewest));
}

double CoefficientOfVariation(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  return std::sqrt(math::statistics::sample_variance(values)) / Mean(values);
}

}  // namespace hvbench
