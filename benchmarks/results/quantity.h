// What is compared: its unit, and which direction of it is good.
#pragma once

#include <string>
#include <string_view>

namespace hvbench {

// What is compared unless something else is asked for: the time by the guest's clock.
inline constexpr char kRealTime[] = "real_time";
// The time by the CPUs that the guest used.
inline constexpr char kCpuTime[] = "cpu_time";

enum class Better {
  kLess,     // times, memory
  kMore,     // rates
  kNeither,  // what describes a measurement, such as the part of its bytes that reached a disk
};

// "less", "more", "neither"
std::string_view NameOf(Better better);

struct Quantity {
  std::string name = kRealTime;
  std::string_view unit = "ns";  // of the values: "ns", "us", "ms", "bytes", "bytes/s", "1/s", ""
  Better better = Better::kLess;

  // With three digits and a unit of that size: "12.3 us", "1.05 GB/s", "44.1 MiB".
  std::string Print(double value) const;
  // Of a value that is certainly above or below the baseline's: of times and rates "slower" or
  // "faster", of other quantities "higher" or "lower".
  std::string_view NameOfHigher() const;
  std::string_view NameOfLower() const;
  // What a ratio is of, as a sentence: "Ratios are of times: 2.00 takes twice as long."
  std::string ExplainRatios() const;
};

// real_time, cpu_time, or a counter of a row, whose unit and direction its name ends in
// (docs/results.md). Of the others the direction is kNeither: nothing is a regression of them.
Quantity QuantityNamed(std::string name);

}  // namespace hvbench
