// One benchmark on two sides: the ratio, how sure it is, and what that means. And the mean over
// several benchmarks, with the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "benchmarks/results/results.h"
#include "benchmarks/results/statistics.h"

namespace hvbench {

// Differences below 1 % are called none, however narrow the interval: 1 % is about what the place
// of a function in memory is worth. The p of a comparison tests whether the true ratio is farther
// from 1 than that.
inline constexpr double kSmallestDifference = 0.01;
// Who says that no difference was found would have found one of 5 %.
inline constexpr double kNoDifferenceWithin = 0.05;

enum class Verdict {
  // All of the interval is above 1 by more than the smallest difference, and so sure that at most
  // one in twenty of such verdicts of a run is expected to be wrong.
  kHigher,
  kLower,         // the same, below
  kNoDifference,  // all of the interval is near 1, and a difference of 5 % would have been found
  kTooFewBoots,   // the same, but of too few boots to know of slow ones among ten
  kTooNoisy,      // none of these
  kOneBoot,       // a side has one boot alone, or the file does not say: there is no interval
};

// What one value of the statistics stands for. Boots are independent of each other; repetitions
// inside of one boot share its memory layout and its luck, and so give no interval.
enum class SamplingUnit { kBlock, kBoot, kRepetition };

struct Comparison {
  RatioEstimate estimate;  // of the other's values to the baseline's
  MedianEstimate median;   // the same of medians
  // The lowest and the highest of a block; of a boot, to the baseline's geometric mean.
  Interval range;
  SamplingUnit sampling_unit = SamplingUnit::kRepetition;
  double baseline_cv = 0;  // of the sampling units
  double other_cv = 0;
  // As JudgeTogether says.
  Verdict verdict = Verdict::kOneBoot;
  double adjusted_p = 1;
  std::optional<double> detectable;  // a ratio above 1; nothing without an interval
};

// "slower" or "faster" for times and rates, "higher" or "lower" for other quantities; "no
// difference found", "too few boots", "too noisy", "one boot".
std::string_view NameOf(Verdict verdict, const Quantity& quantity);
// What is certainly different, and in a direction that is not, or is, the good one.
bool IsWorse(Verdict verdict, const Quantity& quantity);
bool IsBetter(Verdict verdict, const Quantity& quantity);
// "block", "boot", "repetition"
std::string_view NameOf(SamplingUnit sampling_unit);

// Whether `other` comes from the same run: then blocks pair its values with the baseline's.
enum class Pairing { kSameRun, kOtherRun };

// Judged as if it were the only one. Precondition: both are measured.
Comparison Compare(const CellResult& baseline, const CellResult& other, Pairing pairing);

// Judges comparisons that a reader sees together: their p (PValue, with the smallest difference)
// are adjusted to each other by Benjamini and Hochberg; those without an interval do not count.
// What is detectable is what would be called different beside the others that are.
void JudgeTogether(const std::vector<Comparison*>& comparisons);

// Whether more blocks are not needed: the interval's high / low - 1 is at most `width`, of enough
// blocks to know of slow boots among ten. By the width alone and from so many blocks on, the
// interval stays one of 95 % (Y. S. Chow, H. Robbins, Annals of Mathematical Statistics 36(2),
// 1965; for few blocks it would not: F. J. Anscombe, Journal of the Royal Statistical Society B
// 15(1), 1953).
bool IsNarrow(const RatioEstimate& estimate, double width);

// The geometric mean of the ratios of several benchmarks. Its sampling units are those that all of
// them have: the mean over the benchmarks is taken in each block (in each boot of each side), since
// what disturbs a block disturbs all that was measured in it.
class MeanComparison {
 public:
  // As for Compare.
  void Add(const CellResult& baseline, const CellResult& other, Pairing pairing);
  std::size_t count() const { return parts_.size(); }
  // The lowest and the highest ratio of a benchmark. Precondition of both: there are some.
  Interval Range() const;
  // Judged as if it were the only one. Without an interval where the benchmarks have no two
  // sampling units in common.
  Comparison Estimate() const;

 private:
  friend Comparison Compare(const CellResult&, const CellResult&, Pairing);

  using Logs = std::map<std::int64_t, double>;  // by the number of a block, boot or repetition
  struct Part {
    SamplingUnit sampling_unit = SamplingUnit::kRepetition;
    Logs ratios;  // of blocks
    Logs baseline;
    Logs other;
    double LogRatio() const;
  };
  static Part PartOf(const CellResult& baseline, const CellResult& other, Pairing pairing);
  static Comparison Evaluate(const Part& part);
  static Logs MeanOfShared(const std::vector<Part>& parts, Logs Part::*logs);

  std::vector<Part> parts_;
};

// Whether the samples say which boot they are of, and are of more than one.
bool HasSeveralBoots(const CellResult& cell);

// The geometric means of the values of each boot (of each repetition, if there is one boot alone or
// the file does not say).
std::vector<double> SamplingUnitValues(const CellResult& cell);

}  // namespace hvbench
