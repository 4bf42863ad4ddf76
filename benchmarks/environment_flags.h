// Google Benchmark's flags as environment variables: BENCHMARK_FILTER is --benchmark_filter.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace hvbench {

// The value of an environment variable; nullptr if it is not set.
using EnvironmentLookup = std::function<const char*(const char* name)>;

// The flags that the environment gives and `arguments` (without the program's name) does not.
std::vector<std::string> FlagsOfEnvironment(const std::vector<std::string>& arguments,
                                            const EnvironmentLookup& variable);

// Where the environment gives flags: executes this program anew with them as arguments and without
// those variables, which Google Benchmark has read before main(), for itself alone and in part
// (V, its --v). Returns true otherwise, and false, after saying so, if that cannot be done.
bool TakeFlagsFromEnvironment(int argc, char** argv);

}  // namespace hvbench
