// What a run's own results say against them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "benchmarks/results/results.h"
#include "fixtures/host_facts.h"

namespace hvbench {

// Benchmarks whose repetitions or boots vary much, and such as are faster than on the baseline,
// which a cache or a clock explains more often than a better runtime does.
std::vector<HostWarning> CheckResults(const Results& results, const std::string& baseline);

// Guests that did not get what the run asked for, or not what the baseline got, by the facts in the
// JSON's context ("runtime.runc.guest.vcpus").
std::vector<HostWarning> CheckFairness(const std::map<std::string, std::string>& context,
                                       const std::string& baseline);

// `of_children`: the fact process_state of a child of this program.
std::vector<HostWarning> CheckProcessState(const std::string& of_children);

}  // namespace hvbench
