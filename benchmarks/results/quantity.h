// What is compared: its unit, and which direction of it is good.
#pragma once

#include <string>
#include <string_view>

namespace hvbench {

// What is compared unless something else is asked for: the time by the guest's clock.
inline constexpr char kRealTime[] = "real_time";
// The time by the CPUs that the guest used.
inline constexpr char kCpuTime[] = "cpu_time";

enum class Dimension { kTime, kBytes, kByteRate, kRate, kNumber };

// "ns", "bytes", "bytes_per_second", "per_second", "number"
std::string_view NameOf(Dimension dimension);

enum class Better {
  kLess,     // times, memory
  kMore,     // rates
  kNeither,  // what describes a measurement, such as the part of its bytes that reached a disk
};

// "less", "more", "neither"
std::string_view NameOf(Better better);

struct Quantity {
  std::string name = kRealTime;
  Dimension dimension = Dimension::kTime;
  double base_units = 1;  // in one unit of the value: ns of a time, else 1
  Better better = Better::kLess;

  // With its unit, three digits: "12.3 us", "1.05 GB/s", "44.1 MiB".
  std::string Print(double value) const;
  // What a value is called that is certainly above, or below, the baseline's: "slower" or "faster"
  // for times and rates, "higher" or "lower" for other quantities.
  std::string_view NameOfHigher() const;
  std::string_view NameOfLower() const;
  // What a ratio is of, as a sentence: "Ratios are of times: 2.00 takes twice as long."
  std::string ExplainRatios() const;
};

// real_time, cpu_time, or a counter of a row, whose unit and direction its name ends in
// (docs/results.md). Of the others the direction is kNeither: nothing is a regression of them.
Quantity QuantityNamed(std::string name);

}  // namespace hvbench
