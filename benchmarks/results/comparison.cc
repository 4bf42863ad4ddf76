#include "benchmarks/results/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "benchmarks/text/number_text.h"

namespace hvbench {
namespace {

struct MeanLog {
  double sum = 0;
  int count = 0;
  void Add(double ns) {
    sum += std::log(ns);
    ++count;
  }
  double value() const { return sum / count; }
};

using MeanLogs = std::map<std::int64_t, MeanLog>;

bool SaysBoots(const CellResult& cell) {
  std::set<std::int64_t> boots;
  for (const Sample& sample : cell.samples) boots.insert(sample.boot);
  return boots.size() > 1 && !boots.contains(0);
}

// Empty if the samples are of no comparison.
MeanLogs ByBlock(const CellResult& cell) {
  MeanLogs blocks;
  for (const Sample& sample : cell.samples) {
    // What was measured when a run was killed is of no whole block.
    if (sample.block > 0) blocks[sample.block].Add(sample.value);
  }
  return blocks;
}

std::vector<double> SamplingUnitLogs(const CellResult& cell, SamplingUnit sampling_unit) {
  std::vector<double> logs;
  if (sampling_unit == SamplingUnit::kRepetition) {
    for (const Sample& sample : cell.samples) logs.push_back(std::log(sample.value));
    return logs;
  }
  MeanLogs boots;
  for (const Sample& sample : cell.samples) boots[sample.boot].Add(sample.value);
  for (const auto& [boot, mean] : boots) logs.push_back(mean.value());
  return logs;
}

double CvOfSamplingUnits(const CellResult& cell) {
  return CoefficientOfVariation(SamplingUnitValues(cell));
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
    case Verdict::kTooNoisy:
      return "too noisy";
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

Verdict Judge(const RatioEstimate& estimate) {
  if (!estimate.interval) return Verdict::kTooNoisy;
  const auto [low, high] = *estimate.interval;
  if (low > 1 + kSmallestDifference) return Verdict::kHigher;
  if (high < 1 / (1 + kSmallestDifference)) return Verdict::kLower;
  const bool near_one = low > 1 / (1 + kNoDifferenceWithin) && high < 1 + kNoDifferenceWithin;
  return near_one ? Verdict::kNoDifference : Verdict::kTooNoisy;
}

std::vector<double> SamplingUnitValues(const CellResult& cell) {
  std::vector<double> values =
      SamplingUnitLogs(cell, SaysBoots(cell) ? SamplingUnit::kBoot : SamplingUnit::kRepetition);
  for (double& value : values) value = std::exp(value);
  return values;
}

Comparison Compare(const CellResult& baseline, const CellResult& other, Pairing pairing) {
  Comparison comparison;
  std::vector<double> log_ratios;
  if (pairing == Pairing::kSameRun) {
    const MeanLogs theirs = ByBlock(other);
    for (const auto& [block, mean] : ByBlock(baseline)) {
      const auto found = theirs.find(block);
      if (found != theirs.end()) log_ratios.push_back(found->second.value() - mean.value());
    }
  }
  if (!log_ratios.empty()) {
    comparison.sampling_unit = SamplingUnit::kBlock;
    comparison.estimate = PairedRatio(log_ratios);
  } else {
    comparison.sampling_unit =
        SaysBoots(baseline) && SaysBoots(other) ? SamplingUnit::kBoot : SamplingUnit::kRepetition;
    comparison.estimate = UnpairedRatio(SamplingUnitLogs(baseline, comparison.sampling_unit),
                                        SamplingUnitLogs(other, comparison.sampling_unit));
  }
  comparison.baseline_cv = CvOfSamplingUnits(baseline);
  comparison.other_cv = CvOfSamplingUnits(other);
  comparison.verdict = Judge(comparison.estimate);
  return comparison;
}

std::string PrintEstimate(const RatioEstimate& estimate) {
  std::string text = PrintRatio(estimate.ratio);
  if (estimate.interval) {
    // Near 1 a third digit is what tells a narrow interval from none.
    const char* format = std::abs(estimate.ratio - 1) < 0.1 ? "%.3f" : nullptr;
    const auto print = [&](double v) { return format ? PrintNumber(format, v) : PrintRatio(v); };
    text = print(estimate.ratio) + " [" + print(estimate.interval->low) + ", " +
           print(estimate.interval->high) + "]";
  }
  return text;
}

}  // namespace hvbench
