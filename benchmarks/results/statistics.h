// Ratios of times with 95 % intervals. All work is on natural logarithms, so that "twice as slow"
// and "twice as fast" weigh the same, and a ratio does not depend on which side is the baseline.
//
// Intervals are percentile bootstrap intervals (B. Efron, R. Tibshirani: An Introduction to the
// Bootstrap, 1993, chapter 13), expanded for few values as in T. Hesterberg: What Teachers Should
// Know about the Bootstrap, The American Statistician 69(4), 2015, section 4.1: the percentiles are
// taken at Phi(-sqrt(n / (n - 1)) t), with Student's t of n - 1 degrees of freedom, which is what a
// plain percentile interval lacks in width. Below kMinBootstrapSamplingUnits values that cannot
// help, as no replicate lies outside of the data: n values have a range that holds their centre
// with probability 1 - 2^(1 - n), which is above 95 % from 6 on. There the interval is Student's.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace hvbench {

inline constexpr std::size_t kMinBootstrapSamplingUnits = 6;
inline constexpr std::size_t kBootstrapReplicates = 2000;

struct Interval {
  double low = 1;
  double high = 1;
};

struct RatioEstimate {
  double ratio = 1;
  std::optional<Interval> interval;  // nothing: a side has one value alone
  std::size_t sampling_units = 0;    // of the side that has fewer
  // Logarithms of the bootstrap's ratios. Those of estimates with equally many sampling units were
  // drawn with the same indices: where sampling unit i of both is of the same block, blocks are
  // drawn whole.
  std::vector<double> replicates;
};

// The ratio of two sides that were measured together: one logarithm of a ratio for each block.
// Precondition: not empty.
RatioEstimate PairedRatio(const std::vector<double>& log_ratios);

// `other` to `baseline`, measured independently of each other: logarithms of times.
// Precondition: neither is empty.
RatioEstimate UnpairedRatio(const std::vector<double>& baseline, const std::vector<double>& other);

// The geometric mean of ratios. Precondition: there are some.
class GeometricMean {
 public:
  void Add(const RatioEstimate& estimate);
  std::size_t count() const { return count_; }
  RatioEstimate Estimate() const;

 private:
  std::size_t count_ = 0;
  std::size_t sampling_units_ = 0;  // of the estimate that has fewest
  double log_sum_ = 0;
  std::vector<double> replicate_sums_;
};

// The standard deviation by the mean; 0 for one value. Precondition: not empty.
double CoefficientOfVariation(const std::vector<double>& values);

}  // namespace hvbench
