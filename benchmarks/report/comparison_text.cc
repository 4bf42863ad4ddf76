#include "benchmarks/report/comparison_text.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "benchmarks/text/number_text.h"

namespace hvbench {
namespace {

std::string PrintWithInterval(double ratio, const std::optional<Interval>& interval) {
  if (!interval) return PrintRatio(ratio);
  // Near 1 a third digit is what tells a narrow interval from none.
  const char* format = std::abs(ratio - 1) < 0.1 ? "%.3f" : nullptr;
  const auto print = [&](double v) { return format ? PrintNumber(format, v) : PrintRatio(v); };
  return print(ratio) + " [" + print(interval->low) + ", " + print(interval->high) + "]";
}

void AddInterval(const std::optional<Interval>& interval, OrderedJson& json) {
  const auto number = [](double value) {
    return std::isfinite(value) ? OrderedJson(value) : OrderedJson(nullptr);
  };
  json["low"] = interval ? number(interval->low) : nullptr;
  json["high"] = interval ? number(interval->high) : nullptr;
}

}  // namespace

std::string PrintEstimate(const RatioEstimate& estimate) {
  return PrintWithInterval(estimate.ratio, estimate.interval);
}

std::string PrintEstimate(const MedianEstimate& estimate) {
  return PrintWithInterval(estimate.ratio, estimate.interval);
}

std::string PrintRange(const Interval& range) {
  return PrintRatio(range.low) + " to " + PrintRatio(range.high);
}

std::string PrintDetectable(const Comparison& comparison) {
  if (!comparison.detectable) return "";
  const double percent = 100 * (*comparison.detectable - 1);
  if (percent > 1000) return "over 1000%";  // of two or three boots
  return PrintNumber(percent < 9.95 ? "%.1f%%" : "%.0f%%", percent);
}

OrderedJson ComparisonJson(const Comparison& comparison, const Quantity& quantity) {
  OrderedJson json = {{"ratio", comparison.estimate.ratio}};
  AddInterval(comparison.estimate.interval, json);
  OrderedJson median = {{"ratio", comparison.median.ratio}};
  AddInterval(comparison.median.interval, median);
  json.update({{"median", median},
               {"units", comparison.estimate.sampling_units},
               {"sampling_unit", NameOf(comparison.sampling_unit)},
               {"lowest_of_units", comparison.range.low},
               {"highest_of_units", comparison.range.high},
               {"adjusted_p", comparison.adjusted_p},
               {"detectable", nullptr},
               {"verdict", NameOf(comparison.verdict, quantity)}});
  if (comparison.detectable && std::isfinite(*comparison.detectable)) {
    json["detectable"] = *comparison.detectable;
  }
  return json;
}

}  // namespace hvbench
