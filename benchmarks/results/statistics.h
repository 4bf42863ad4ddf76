// Ratios with 95 % intervals, and how sure many of them are at once. All work is on natural
// logarithms, so that "twice as slow" and "twice as fast" weigh the same, and a ratio does not
// depend on which side is the baseline. A mean of logarithms is the logarithm of a geometric mean.
//
// Intervals of means are the wider of two. Student's (Student, Biometrika 6(1), 1908) is exact for
// normal logarithms from two values on; percentile bootstraps of two to five values hold the truth
// in 48 to 91 %. Where some boots are far slower than the rest the logarithms are skewed, and
// Student's is too short on that side: the other is of t after Hall's cubic transformation (P.
// Hall, Journal of the Royal Statistical Society B 54(1), 1992; for two sides X.-H. Zhou, P. Dinh,
// Biostatistics 6(2), 2005). Intervals of medians are of order statistics, and exact for any
// distribution. How often all of them hold the truth is simulated (tests/simulation,
// docs/validity.md).
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace hvbench {

inline constexpr double kConfidence = 0.95;
// The share of false discoveries that a run's verdicts may have.
inline constexpr double kFalseDiscoveryRate = 0.05;
// The probability with which a difference of the minimum detectable size is found, at least.
inline constexpr double kPower = 0.8;
// The fewest boots of which one is slow with a probability of at least 95 %, where one in ten is:
// 1 - 0.9^29 = 0.953. A mean of fewer may not know of such boots, whatever its interval is.
inline constexpr std::size_t kUnitsThatShowRareBoots = 29;

// Of ratios.
struct Interval {
  double low = 1;
  double high = 1;
};

// A ratio of geometric means.
struct RatioEstimate {
  double ratio = 1;
  std::optional<Interval> interval;  // nothing: a side has one value alone
  std::size_t sampling_units = 0;    // of the side that has fewer
  // Of the ratio's logarithm as it would be estimated again and again.
  double standard_error = 0;
  double skewness = 0;            // 0 below three values a side
  double degrees_of_freedom = 0;  // of Student's t; 0 without an interval
};

// The ratio of two sides that were measured together: one logarithm of a ratio for each block.
// Precondition: not empty.
RatioEstimate PairedRatio(const std::vector<double>& log_ratios);

// `other` to `baseline`, measured independently of each other: logarithms. The degrees of freedom
// are B. L. Welch's (Biometrika 34, 1947). Where one side has two or three values and the other has
// more, Welch's interval is too short; there they are those of the smaller side, which never is
// (M. R. Mickey, M. B. Brown, Annals of Mathematical Statistics 37(3), 1966). Precondition: neither
// is empty.
RatioEstimate UnpairedRatio(const std::vector<double>& baseline, const std::vector<double>& other);

// A ratio of medians: what a typical boot takes, whatever the rare ones do. Its interval is that of
// order statistics (W. R. Thompson, Annals of Mathematical Statistics 7(3), 1936).
struct MedianEstimate {
  double ratio = 1;
  std::optional<Interval> interval;  // nothing: there are too few values (below 6, or 7 a side)
};

// Preconditions as above. Between independent sides each has an interval of 97.5 %, and the ratio's
// reaches from the lowest to the highest ratio of the two (Bonferroni).
MedianEstimate PairedMedian(std::vector<double> log_ratios);
MedianEstimate UnpairedMedian(std::vector<double> baseline, std::vector<double> other);

// How likely an estimate as far from 1 as this one is, or farther, if the true ratio is within
// `smallest` (above 0: 0.01 is 1 %) of 1: twice the one-sided p of Student's t at the nearer bound
// of that range, or of Hall's if that is larger, at most 1. Below 0.05 if and only if all of the
// interval is outside of the range. 1 without an interval.
double PValue(const RatioEstimate& estimate, double smallest);

// In the same order, adjusted so that of those at most `q` a share of at most q is expected to be
// false (Y. Benjamini, Y. Hochberg, Journal of the Royal Statistical Society B 57(1), 1995).
std::vector<double> AdjustedPValues(const std::vector<double>& p_values);

// The ratio (above 1) that is called different from 1 by more than `smallest`, at p <= `alpha`,
// with a probability of at least kPower: H. S. Bloom, Minimum Detectable Effects, Evaluation Review
// 19(5), 1995. For the standard error, which few values know badly, it takes the upper bound of
// its one-sided interval of kPower (R. H. Browne, Statistics in Medicine 14(17), 1995). Nothing
// without an interval.
std::optional<double> MinimumDetectableRatio(const RatioEstimate& estimate, double smallest,
                                             double alpha);

// The standard deviation by the mean; 0 for one value. Precondition: not empty.
double CoefficientOfVariation(const std::vector<double>& values);

}  // namespace hvbench
