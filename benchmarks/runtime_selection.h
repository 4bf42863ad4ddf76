// Which runtimes are measured, and which are not and why.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "fixtures/run_dir.h"
#include "fixtures/runtime_set.h"

namespace hvbench {

struct ProbedRuntime {
  Runtime* runtime = nullptr;
  ProbeResult probe;
};

// Probes each, with a trial start whose guests are `run_dir`'s; without one, it starts nothing.
std::vector<ProbedRuntime> ProbeRuntimes(const std::vector<Runtime*>& runtimes,
                                         const std::filesystem::path& agent, const RunDir* run_dir);

// The runtimes that --hvbench_runtimes names, in its order, or all. Throws Error for an unknown
// name, with the known ones.
std::vector<Runtime*> SelectRuntimes(std::vector<Runtime>& all,
                                     const std::vector<std::string>& names);

// Why a runtime is not measured: "kata is not usable here: <reason>; to fix it: <fix>".
std::string Explain(const ProbedRuntime& probed);

}  // namespace hvbench
