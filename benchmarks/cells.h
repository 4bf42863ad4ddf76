// The benchmarks of a run: each parameter set of each kernel, for each runtime.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fixtures/cell_name.h"
#include "fixtures/protocol/messages.h"

namespace hvbench {

struct AgentDescription {
  protocol::HelloReply hello;
  protocol::ManifestReply manifest;
};

// Asks the agent binary itself, without booting anything. Throws Error if that is not an agent.
AgentDescription DescribeAgent(const std::filesystem::path& agent);

// Kernel by kernel, and in each the runtimes side by side, so that what is compared is measured
// within seconds. Sets that keep more than `vcpus` CPUs busy are left out, and kernels that are an
// application's server.
std::vector<CellName> MakeCells(const protocol::ManifestReply& manifest, protocol::Profile profile,
                                int vcpus, const std::vector<std::string>& runtimes);

// Whether Google Benchmark's filter (a regular expression, negated by a leading '-') takes that
// cell.
bool Matches(const CellName& cell, const std::string& filter);

}  // namespace hvbench
