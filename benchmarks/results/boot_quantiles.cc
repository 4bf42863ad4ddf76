#include "benchmarks/results/boot_quantiles.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "fixtures/sample_name.h"

namespace hvbench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;

// Of all repetitions, in ns.
std::vector<double> SamplesOf(const std::string& what, const std::vector<Run>& repetitions) {
  constexpr double kNsInMs = 1e6;
  std::vector<double> samples;
  for (const Run& row : repetitions) {
    for (const auto& [name, counter] : row.counters) {
      if (name.starts_with(what + "_") && name.ends_with("_ms") && IsSampleName(name)) {
        samples.push_back(std::round(counter.value * kNsInMs));
      }
    }
  }
  std::sort(samples.begin(), samples.end());
  return samples;
}

double NearestRank(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

void AddBootQuantiles(std::vector<Run>& repetitions) {
  for (const auto& [what, prefix] : {std::pair("boot", ""), {"stop", "stop_"}}) {
    const std::vector<double> samples = SamplesOf(what, repetitions);
    if (samples.empty()) continue;
    auto& counters = repetitions.back().counters;
    for (const auto& [name, share] :
         {std::pair("p50_ns", 0.5), {"p90_ns", 0.9}, {"p99_ns", 0.99}}) {
      counters[std::string(prefix) + name] = NearestRank(samples, share);
    }
    if (prefix[0] == '\0') counters["boots"] = static_cast<double>(samples.size());
  }
}

}  // namespace hvbench
