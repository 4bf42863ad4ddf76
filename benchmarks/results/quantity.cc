#include "benchmarks/results/quantity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "benchmarks/text/number_text.h"

namespace hvbench {
namespace {

struct Ending {
  std::string_view text;
  Dimension dimension;
  double base_units;
  Better better;
};

// The first that fits.
constexpr std::array kEndings = {
    Ending{"real_time", Dimension::kTime, 1, Better::kLess},
    Ending{"cpu_time", Dimension::kTime, 1, Better::kLess},
    Ending{"_ns", Dimension::kTime, 1, Better::kLess},
    Ending{"_us", Dimension::kTime, 1e3, Better::kLess},
    Ending{"_ms", Dimension::kTime, 1e6, Better::kLess},
    Ending{"bytes_per_second", Dimension::kByteRate, 1, Better::kMore},
    Ending{"_per_second", Dimension::kRate, 1, Better::kMore},
    // What moved between the guest and a disk says how a cell was measured.
    Ending{"host_read_bytes", Dimension::kBytes, 1, Better::kNeither},
    Ending{"host_written_bytes", Dimension::kBytes, 1, Better::kNeither},
    Ending{"_bytes", Dimension::kBytes, 1, Better::kLess},
    Ending{"lost_percent", Dimension::kNumber, 1, Better::kLess},
    Ending{"lost_connections", Dimension::kNumber, 1, Better::kLess},
    Ending{"wrong_responses", Dimension::kNumber, 1, Better::kLess},
};

// Three digits and the largest of the units, each `step` times the one before, that is not above
// it.
template <std::size_t N>
std::string Scaled(double value, double step, const std::array<const char*, N>& units) {
  std::size_t i = 0;
  // What would be printed as 1e+03 is the next unit's.
  for (; i + 1 < N && std::abs(value) >= step * 0.9995; ++i) value /= step;
  const char* format = std::abs(value) >= 999.5 ? "%.0f" : "%.3g";
  return PrintNumber(format, value) + (*units[i] == '\0' ? "" : " ") + units[i];
}

}  // namespace

std::string_view NameOf(Dimension dimension) {
  switch (dimension) {
    case Dimension::kTime:
      return "time";
    case Dimension::kBytes:
      return "bytes";
    case Dimension::kByteRate:
      return "bytes per second";
    case Dimension::kRate:
      return "per second";
    case Dimension::kNumber:
      return "number";
  }
  return "unknown";
}

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
  switch (dimension) {
    case Dimension::kTime:
      return PrintTime(value * base_units);
    case Dimension::kBytes:
      return Scaled(value, 1024, std::array{"B", "KiB", "MiB", "GiB", "TiB"});
    case Dimension::kByteRate:
      return Scaled(value, 1000, std::array{"B/s", "kB/s", "MB/s", "GB/s", "TB/s"});
    case Dimension::kRate:
      return Scaled(value, 1000, std::array{"/s", "k/s", "M/s", "G/s"});
    case Dimension::kNumber:
      break;
  }
  return PrintNumber("%.4g", value);
}

std::string_view Quantity::NameOfHigher() const {
  if (dimension == Dimension::kTime) return "slower";
  return dimension == Dimension::kRate || dimension == Dimension::kByteRate ? "faster" : "higher";
}

std::string_view Quantity::NameOfLower() const {
  if (dimension == Dimension::kTime) return "faster";
  return dimension == Dimension::kRate || dimension == Dimension::kByteRate ? "slower" : "lower";
}

std::string Quantity::ExplainRatios() const {
  if (name == kRealTime) return "Ratios are of times: 2.00 takes twice as long.";
  const char* const good = better == Better::kMore   ? "more is better"
                           : better == Better::kLess ? "less is better"
                                                     : "neither direction is better";
  return "Ratios are of " + name + ": 2.00 is twice as much, and " + good + ".";
}

Quantity QuantityNamed(std::string name) {
  Quantity quantity;
  const auto* const ending = std::find_if(kEndings.begin(), kEndings.end(),
                                          [&](const Ending& e) { return name.ends_with(e.text); });
  quantity.name = std::move(name);
  if (ending == kEndings.end()) {
    quantity.dimension = Dimension::kNumber;
    quantity.better = Better::kNeither;
  } else {
    quantity.dimension = ending->dimension;
    quantity.base_units = ending->base_units;
    quantity.better = ending->better;
  }
  return quantity;
}

}  // namespace hvbench
