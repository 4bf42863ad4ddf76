#include "benchmarks/environment_flags.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>

namespace hvbench {
namespace {

// The flags of Google Benchmark 1.7 to 1.9 that a variable can set. The command line refuses one
// that the linked release does not have.
constexpr const char* kEnvironmentFlags[] = {
    "benchmark_list_tests",
    "benchmark_filter",
    "benchmark_min_time",
    "benchmark_min_warmup_time",
    "benchmark_repetitions",
    "benchmark_dry_run",
    "benchmark_enable_random_interleaving",
    "benchmark_report_aggregates_only",
    "benchmark_display_aggregates_only",
    "benchmark_format",
    "benchmark_out_format",
    "benchmark_out",
    "benchmark_color",
    "benchmark_counters_tabular",
    "benchmark_perf_counters",
    "benchmark_context",
    "benchmark_time_unit",
};
// A flag that may be given again and again, whose keys must differ.
constexpr char kContext[] = "benchmark_context";
// Its variable is no BENCHMARK_*, and too common to mean Google Benchmark: it is only kept from it.
constexpr char kVerbosity[] = "V";

std::string VariableOf(const std::string& flag) {
  std::string name = flag;
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

bool IsGiven(const std::vector<std::string>& arguments, const std::string& flag) {
  return std::ranges::any_of(arguments, [&](const std::string& argument) {
    return argument == "--" + flag || argument.starts_with("--" + flag + "=");
  });
}

// "a=1,b=2" without the keys that the arguments give.
std::string ContextBeside(const std::vector<std::string>& arguments, const std::string& pairs) {
  std::string rest;
  std::istringstream stream(pairs);
  for (std::string pair; std::getline(stream, pair, ',');) {
    const std::string key = pair.substr(0, pair.find('='));
    const bool given = std::ranges::any_of(arguments, [&](const std::string& argument) {
      return argument.starts_with(std::string("--") + kContext + "=") &&
             (argument.find("=" + key + "=") != std::string::npos ||
              argument.find("," + key + "=") != std::string::npos);
    });
    if (!given) rest += (rest.empty() ? "" : ",") + pair;
  }
  return rest;
}

}  // namespace

std::vector<std::string> FlagsOfEnvironment(const std::vector<std::string>& arguments,
                                            const EnvironmentLookup& variable) {
  std::vector<std::string> flags;
  for (const std::string flag : kEnvironmentFlags) {
    const char* const value = variable(VariableOf(flag).c_str());
    if (value == nullptr) continue;
    if (flag == kContext) {
      const std::string pairs = ContextBeside(arguments, value);
      if (!pairs.empty()) flags.push_back("--" + flag + "=" + pairs);
    } else if (!IsGiven(arguments, flag)) {
      flags.push_back("--" + flag + "=" + value);
    }
  }
  return flags;
}

bool TakeFlagsFromEnvironment(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::vector<std::string> flags = FlagsOfEnvironment(arguments, std::getenv);
  bool found = std::getenv(kVerbosity) != nullptr;
  unsetenv(kVerbosity);
  for (const std::string flag : kEnvironmentFlags) {
    found = found || std::getenv(VariableOf(flag).c_str()) != nullptr;
    unsetenv(VariableOf(flag).c_str());
  }
  if (!found) return true;
  arguments.insert(arguments.begin(), flags.begin(), flags.end());
  arguments.insert(arguments.begin(), argv[0]);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  execv("/proc/self/exe", pointers.data());
  std::cerr << "hvbench: cannot take Google Benchmark's flags from the environment (BENCHMARK_*): "
            << std::strerror(errno) << "; give them as flags\n";
  return false;
}

}  // namespace hvbench
