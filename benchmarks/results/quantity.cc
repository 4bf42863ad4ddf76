#include "benchmarks/results/quantity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "benchmarks/text/number_text.h"

namespace hvbench {
namespace {

struct NameEnding {
  std::string_view text;
  std::string_view unit;
  Better better;
};

// The first that fits.
constexpr std::array kNameEndings = {
    NameEnding{"real_time", "ns", Better::kLess},
    NameEnding{"cpu_time", "ns", Better::kLess},
    NameEnding{"_ns", "ns", Better::kLess},
    NameEnding{"_us", "us", Better::kLess},
    NameEnding{"_ms", "ms", Better::kLess},
    NameEnding{"bytes_per_second", "bytes/s", Better::kMore},
    NameEnding{"_per_second", "1/s", Better::kMore},
    // What moved between the guest and a disk says how a cell was measured.
    NameEnding{"host_read_bytes", "bytes", Better::kNeither},
    NameEnding{"host_written_bytes", "bytes", Better::kNeither},
    NameEnding{"array_bytes", "bytes", Better::kNeither},
    NameEnding{"working_set_bytes", "bytes", Better::kNeither},
    NameEnding{"_bytes", "bytes", Better::kLess},
    NameEnding{"lost_percent", "", Better::kLess},
    NameEnding{"lost_connections", "", Better::kLess},
    NameEnding{"wrong_responses", "", Better::kLess},
};

// How many ns a unit of time has; 0 of the others.
double NsIn(std::string_view unit) {
  return unit == "ns" ? 1 : unit == "us" ? 1e3 : unit == "ms" ? 1e6 : 0;
}

bool IsRate(std::string_view unit) { return unit.ends_with("/s"); }

// Three digits and the largest of the units, each `step` times the one before, that is not above
// it.
template <std::size_t N>
std::string Scaled(double value, double step, const std::array<const char*, N>& units) {
  std::size_t i = 0;
  // What would be printed as 1e+03 is the next unit's.
  for (; i + 1 < N && std::abs(value) >= step * 0.9995; ++i) value /= step;
  return PrintNumber(std::abs(value) >= 999.5 ? "%.0f " : "%.3g ", value) + units[i];
}

}  // namespace

std::string_view NameOf(Better better) {
  switch (better) {
    case Better::kLess:
      return "less";
    case Better::kMore:
      return "more";
    case Better::kNeither:
      return "neither";
  }
  return "unknown";
}

std::string Quantity::Print(double value) const {
  if (NsIn(unit) > 0) return PrintTime(value * NsIn(unit));
  if (unit == "bytes") return Scaled(value, 1024, std::array{"B", "KiB", "MiB", "GiB", "TiB"});
  if (unit == "bytes/s") {
    return Scaled(value, 1000, std::array{"B/s", "kB/s", "MB/s", "GB/s", "TB/s"});
  }
  if (unit == "1/s") return Scaled(value, 1000, std::array{"/s", "k/s", "M/s", "G/s"});
  return PrintNumber("%.4g", value);
}

std::string_view Quantity::NameOfHigher() const {
  return NsIn(unit) > 0 ? "slower" : IsRate(unit) ? "faster" : "higher";
}

std::string_view Quantity::NameOfLower() const {
  return NsIn(unit) > 0 ? "faster" : IsRate(unit) ? "slower" : "lower";
}

std::string Quantity::ExplainRatios() const {
  if (name == kRealTime) return "Ratios are of times: 2.00 takes twice as long.";
  const std::string good = better == Better::kNeither ? "neither direction is better"
                                                      : std::string(NameOf(better)) + " is better";
  return "Ratios are of " + name + ": 2.00 is twice as much, and " + good + ".";
}

Quantity QuantityNamed(std::string name) {
  const auto* const ending =
      std::find_if(kNameEndings.begin(), kNameEndings.end(),
                   [&](const NameEnding& e) { return name.ends_with(e.text); });
  if (ending == kNameEndings.end()) return {std::move(name), "", Better::kNeither};
  return {std::move(name), ending->unit, ending->better};
}

}  // namespace hvbench
