// What a run's own results say against them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/results/results.h"
#include "fixtures/warning.h"

namespace hvbench {

// What results can say against themselves: a closed list, which docs/warnings.md explains.
enum class ResultWarningKind {
  kNoisyResults,
  kFasterThanBaseline,
  kUnequalGuests,
  kPeerIsTheLimit,
};

// "noisy_results", ...
std::string_view NameOf(ResultWarningKind kind);

// Benchmarks whose repetitions or boots vary much; such as are faster than on the baseline, which a
// cache or a clock explains more often than a better runtime does; and such as measured the other
// side of the network.
std::vector<Warning> CheckResults(const Results& results, const std::string& baseline);

// Guests that did not get what the run asked for, or not what the baseline got, by the facts in the
// JSON's context ("runtime.runc.guest.vcpus").
std::vector<Warning> CheckFairness(const std::map<std::string, std::string>& context,
                                   const std::string& baseline);

}  // namespace hvbench
