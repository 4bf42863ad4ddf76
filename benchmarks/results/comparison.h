// One benchmark on two sides: the ratio, how sure it is, and what that means.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/results/results.h"
#include "benchmarks/results/statistics.h"

namespace hvbench {

// Differences below 1 % are called none, however narrow the interval: 1 % is about what the place
// of a function in memory is worth.
inline constexpr double kSmallestDifference = 0.01;
// An interval within 5 % of 1 may say that no difference was found; a wider one does not know.
inline constexpr double kNoDifferenceWithin = 0.05;

enum class Verdict {
  kHigher,        // all of the interval is above 1 by more than the smallest difference
  kLower,         // the same, below
  kNoDifference,  // neither, and the interval is near 1
  kTooNoisy,      // neither, and it is not; or there is no interval
};

// What one value of the statistics stands for. Boots are independent of each other; repetitions
// inside of one boot share its memory layout and its luck, so that their interval is too narrow.
enum class SamplingUnit { kBlock, kBoot, kRepetition };

struct Comparison {
  RatioEstimate estimate;  // of the other's values to the baseline's
  Verdict verdict = Verdict::kTooNoisy;
  SamplingUnit sampling_unit = SamplingUnit::kRepetition;
  double baseline_cv = 0;  // of the sampling units
  double other_cv = 0;
};

// "slower" or "faster" for times and rates, "higher" or "lower" for other quantities; "no
// difference found", "too noisy".
std::string_view NameOf(Verdict verdict, const Quantity& quantity);
// What is certainly different, and in a direction that is not, or is, the good one.
bool IsWorse(Verdict verdict, const Quantity& quantity);
bool IsBetter(Verdict verdict, const Quantity& quantity);
// "block", "boot", "repetition"
std::string_view NameOf(SamplingUnit sampling_unit);

Verdict Judge(const RatioEstimate& estimate);

// Whether `other` comes from the same run: then blocks pair its values with the baseline's.
enum class Pairing { kSameRun, kOtherRun };

// Precondition: both are measured.
Comparison Compare(const CellResult& baseline, const CellResult& other, Pairing pairing);

// The geometric means of the values of each boot (of each repetition, if there is one boot alone or
// the file does not say).
std::vector<double> SamplingUnitValues(const CellResult& cell);

// "1.03 [1.01, 1.05]"
std::string PrintEstimate(const RatioEstimate& estimate);

}  // namespace hvbench
