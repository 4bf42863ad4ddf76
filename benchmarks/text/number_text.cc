#include "benchmarks/text/number_text.h"

#include <array>
#include <cstdio>

namespace hvbench {

std::string PrintNumber(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string PrintTime(double ns) {
  if (ns < 1e3) return PrintNumber("%.3g ns", ns);
  if (ns < 1e6) return PrintNumber("%.3g us", ns / 1e3);
  if (ns < 1e9) return PrintNumber("%.3g ms", ns / 1e6);
  return PrintNumber("%.3g s", ns / 1e9);
}

std::string PrintRatio(double ratio) {
  if (ratio < 0.1) return PrintNumber("%.2g", ratio);
  return PrintNumber(ratio < 10 ? "%.2f" : ratio < 100 ? "%.1f" : "%.0f", ratio);
}

}  // namespace hvbench
