#include "benchmarks/results/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace hvbench {
namespace {

// The means of logarithms, by a number.
class MeanLogs {
 public:
  void Add(std::int64_t key, double value) {
    auto& [sum, count] = sums_[key];
    sum += std::log(value);
    ++count;
  }
  std::map<std::int64_t, double> Take() {
    std::map<std::int64_t, double> means;
    for (const auto& [key, sum] : sums_) means[key] = sum.first / sum.second;
    return means;
  }

 private:
  std::map<std::int64_t, std::pair<double, int>> sums_;
};

// Empty if the samples are of no comparison.
std::map<std::int64_t, double> ByBlock(const CellResult& cell) {
  MeanLogs blocks;
  for (const Sample& sample : cell.samples) {
    // What was measured when a run was killed is of no whole block.
    if (sample.block > 0) blocks.Add(sample.block, sample.value);
  }
  return blocks.Take();
}

// What boots guests of its own, as the subsystem startup does, has other ones in each block.
std::int64_t BootOf(const Sample& sample) { return sample.boot > 0 ? sample.boot : sample.block; }

std::map<std::int64_t, double> ByBoot(const CellResult& cell) {
  MeanLogs boots;
  for (const Sample& sample : cell.samples) boots.Add(BootOf(sample), sample.value);
  return boots.Take();
}

std::map<std::int64_t, double> ByRepetition(const CellResult& cell) {
  MeanLogs repetitions;
  for (std::size_t i = 0; i < cell.samples.size(); ++i) {
    repetitions.Add(static_cast<std::int64_t>(i), cell.samples[i].value);
  }
  return repetitions.Take();
}

std::vector<double> ValuesOf(const std::map<std::int64_t, double>& logs) {
  std::vector<double> values;
  for (const auto& [number, value] : logs) values.push_back(value);
  return values;
}

double MeanOf(const std::map<std::int64_t, double>& logs) {
  double sum = 0;
  for (const auto& [number, value] : logs) sum += value;
  return sum / static_cast<double>(logs.size());
}

Interval RangeOf(const std::map<std::int64_t, double>& logs, double minus) {
  const std::vector<double> values = ValuesOf(logs);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {std::exp(*low - minus), std::exp(*high - minus)};
}

Verdict Judge(const Comparison& comparison) {
  const RatioEstimate& estimate = comparison.estimate;
  if (!estimate.interval) return Verdict::kOneBoot;
  if (comparison.adjusted_p <= kFalseDiscoveryRate) {
    return estimate.ratio > 1 ? Verdict::kHigher : Verdict::kLower;
  }
  const auto [low, high] = *estimate.interval;
  const double smallest = 1 + kSmallestDifference;
  const double near = 1 + kNoDifferenceWithin;
  // The other comparisons made too little of an interval that is beyond the smallest difference.
  const bool reaches = low <= smallest && high >= 1 / smallest;
  if (!reaches || low < 1 / near || high > near || *comparison.detectable > near) {
    return Verdict::kTooNoisy;
  }
  return estimate.sampling_units < kUnitsThatShowRareBoots ? Verdict::kTooFewBoots
                                                           : Verdict::kNoDifference;
}

}  // namespace

std::string_view NameOf(Verdict verdict, const Quantity& quantity) {
  switch (verdict) {
    case Verdict::kHigher:
      return quantity.NameOfHigher();
    case Verdict::kLower:
      return quantity.NameOfLower();
    case Verdict::kNoDifference:
      return "no difference found";
    case Verdict::kTooFewBoots:
      return "too few boots";
    case Verdict::kTooNoisy:
      return "too noisy";
    case Verdict::kOneBoot:
      return "one boot";
  }
  return "unknown";
}

bool IsWorse(Verdict verdict, const Quantity& quantity) {
  return (verdict == Verdict::kHigher && quantity.better == Better::kLess) ||
         (verdict == Verdict::kLower && quantity.better == Better::kMore);
}

bool IsBetter(Verdict verdict, const Quantity& quantity) {
  return (verdict == Verdict::kLower && quantity.better == Better::kLess) ||
         (verdict == Verdict::kHigher && quantity.better == Better::kMore);
}

std::string_view NameOf(SamplingUnit sampling_unit) {
  switch (sampling_unit) {
    case SamplingUnit::kBlock:
      return "block";
    case SamplingUnit::kBoot:
      return "boot";
    case SamplingUnit::kRepetition:
      return "repetition";
  }
  return "unknown";
}

void JudgeTogether(const std::vector<Comparison*>& comparisons) {
  std::vector<Comparison*> judged;
  std::vector<double> p_values;
  for (Comparison* comparison : comparisons) {
    comparison->verdict = Verdict::kOneBoot;
    if (!comparison->estimate.interval) continue;
    judged.push_back(comparison);
    p_values.push_back(PValue(comparison->estimate, kSmallestDifference));
  }
  const std::vector<double> adjusted = AdjustedPValues(p_values);
  const auto different = std::count_if(adjusted.begin(), adjusted.end(),
                                       [](double p) { return p <= kFalseDiscoveryRate; });
  // One more that is called different needs a p of at most this, by the same procedure.
  const auto all = static_cast<double>(judged.size());
  const double share = std::min(1.0, static_cast<double>(different + 1) / all);
  for (std::size_t i = 0; i < judged.size(); ++i) {
    Comparison& comparison = *judged[i];
    comparison.adjusted_p = adjusted[i];
    comparison.detectable = MinimumDetectableRatio(comparison.estimate, kSmallestDifference,
                                                   kFalseDiscoveryRate * share);
    comparison.verdict = Judge(comparison);
  }
}

bool IsNarrow(const RatioEstimate& estimate, double width) {
  return estimate.interval && estimate.sampling_units >= kUnitsThatShowRareBoots &&
         estimate.interval->high / estimate.interval->low - 1 <= width;
}

bool HasSeveralBoots(const CellResult& cell) {
  std::set<std::int64_t> boots;
  for (const Sample& sample : cell.samples) boots.insert(BootOf(sample));
  return boots.size() > 1 && !boots.contains(0);
}

std::vector<double> SamplingUnitValues(const CellResult& cell) {
  std::vector<double> values = ValuesOf(HasSeveralBoots(cell) ? ByBoot(cell) : ByRepetition(cell));
  for (double& value : values) value = std::exp(value);
  return values;
}

double MeanComparison::Part::LogRatio() const {
  return sampling_unit == SamplingUnit::kBlock ? MeanOf(ratios) : MeanOf(other) - MeanOf(baseline);
}

MeanComparison::Part MeanComparison::PartOf(const CellResult& baseline, const CellResult& other,
                                            Pairing pairing) {
  Part part;
  if (pairing == Pairing::kSameRun) {
    const Logs theirs = ByBlock(other);
    for (const auto& [block, log] : ByBlock(baseline)) {
      const auto found = theirs.find(block);
      if (found != theirs.end()) part.ratios[block] = found->second - log;
    }
  }
  if (!part.ratios.empty()) {
    part.sampling_unit = SamplingUnit::kBlock;
    return part;
  }
  const bool boots = HasSeveralBoots(baseline) && HasSeveralBoots(other);
  part.sampling_unit = boots ? SamplingUnit::kBoot : SamplingUnit::kRepetition;
  part.baseline = boots ? ByBoot(baseline) : ByRepetition(baseline);
  part.other = boots ? ByBoot(other) : ByRepetition(other);
  return part;
}

Comparison MeanComparison::Evaluate(const Part& part) {
  Comparison comparison;
  comparison.sampling_unit = part.sampling_unit;
  if (part.sampling_unit == SamplingUnit::kBlock) {
    const std::vector<double> ratios = ValuesOf(part.ratios);
    comparison.estimate = PairedRatio(ratios);
    comparison.median = PairedMedian(ratios);
    comparison.range = RangeOf(part.ratios, 0);
    return comparison;
  }
  const std::vector<double> baseline = ValuesOf(part.baseline);
  const std::vector<double> other = ValuesOf(part.other);
  comparison.estimate = UnpairedRatio(baseline, other);
  comparison.median = UnpairedMedian(baseline, other);
  comparison.range = RangeOf(part.other, MeanOf(part.baseline));
  if (part.sampling_unit == SamplingUnit::kRepetition) {
    comparison.estimate.interval.reset();
    comparison.median.interval.reset();
  }
  return comparison;
}

Comparison Compare(const CellResult& baseline, const CellResult& other, Pairing pairing) {
  Comparison comparison =
      MeanComparison::Evaluate(MeanComparison::PartOf(baseline, other, pairing));
  comparison.baseline_cv = CoefficientOfVariation(SamplingUnitValues(baseline));
  comparison.other_cv = CoefficientOfVariation(SamplingUnitValues(other));
  JudgeTogether({&comparison});
  return comparison;
}

void MeanComparison::Add(const CellResult& baseline, const CellResult& other, Pairing pairing) {
  parts_.push_back(PartOf(baseline, other, pairing));
}

Interval MeanComparison::Range() const {
  Interval range{parts_.front().LogRatio(), parts_.front().LogRatio()};
  for (const Part& part : parts_) {
    range = {std::min(range.low, part.LogRatio()), std::max(range.high, part.LogRatio())};
  }
  return {std::exp(range.low), std::exp(range.high)};
}

MeanComparison::Logs MeanComparison::MeanOfShared(const std::vector<Part>& parts,
                                                  Logs Part::*logs) {
  Logs means;
  for (const auto& [number, first] : parts.front().*logs) {
    double sum = 0;
    const bool shared = std::all_of(parts.begin(), parts.end(), [&](const Part& part) {
      const auto found = (part.*logs).find(number);
      sum += found == (part.*logs).end() ? 0 : found->second;
      return found != (part.*logs).end();
    });
    if (shared) means[number] = sum / static_cast<double>(parts.size());
  }
  return means;
}

Comparison MeanComparison::Estimate() const {
  Part mean;
  mean.sampling_unit = parts_.front().sampling_unit;
  const bool alike = std::all_of(parts_.begin(), parts_.end(), [&](const Part& part) {
    return part.sampling_unit == mean.sampling_unit;
  });
  if (alike && mean.sampling_unit != SamplingUnit::kRepetition) {
    mean.ratios = MeanOfShared(parts_, &Part::ratios);
    mean.baseline = MeanOfShared(parts_, &Part::baseline);
    mean.other = MeanOfShared(parts_, &Part::other);
  }
  // Nothing is shared: the mean ratio as one value, which has no interval.
  if (mean.ratios.empty() && (mean.baseline.empty() || mean.other.empty())) {
    mean.sampling_unit = SamplingUnit::kRepetition;
    double sum = 0;
    for (const Part& part : parts_) sum += part.LogRatio();
    mean.baseline = {{0, 0}};
    mean.other = {{0, sum / static_cast<double>(parts_.size())}};
  }
  Comparison comparison = Evaluate(mean);
  JudgeTogether({&comparison});
  return comparison;
}

}  // namespace hvbench
