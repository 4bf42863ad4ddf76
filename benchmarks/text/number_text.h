// Numbers as people read them.
#pragma once

#include <string>

namespace hvbench {

// printf's format for one double.
std::string PrintNumber(const char* format, double value);

// Three digits and a unit: "12.3 us".
std::string PrintTime(double ns);

// "0.031", "1.02", "16.5", "104".
std::string PrintRatio(double ratio);

}  // namespace hvbench
