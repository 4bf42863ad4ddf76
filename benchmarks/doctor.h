// `hvbench doctor`: what is usable here, and what to do about the rest.
#pragma once

#include <ostream>
#include <vector>

#include "benchmarks/runtime_selection.h"

namespace hvbench {

void PrintDoctor(const std::vector<ProbedRuntime>& runtimes, std::ostream& out);
// {"runtimes": [{"name", "launcher", "usable", "version", "reason", "fix"}]}
void PrintDoctorJson(const std::vector<ProbedRuntime>& runtimes, std::ostream& out);

}  // namespace hvbench
