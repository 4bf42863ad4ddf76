#include "benchmarks/runtime_selection.h"

#include <algorithm>

#include "runtime_launchers/support/interrupt.h"

namespace hvbench {

namespace {

ProbeResult TryRuntime(Runtime& runtime, const std::filesystem::path& agent,
                       const RunDir& run_dir) {
  const std::string guest = RunDir::GuestNameOf(runtime.name(), "trial");
  LaunchRequest trial = run_dir.NewRequest(guest, runtime);
  trial.agent = agent;
  ProbeResult result = runtime.launcher->Probe(ProbeDepth::kTrial, trial);
  // A trial guest that failed may have left something: its folder stays until the run's is removed.
  if (result.usable) run_dir.RemoveGuest(guest);
  return result;
}

}  // namespace

std::vector<ProbedRuntime> ProbeRuntimes(const std::vector<Runtime*>& runtimes,
                                         const std::filesystem::path& agent,
                                         const RunDir* run_dir) {
  std::vector<ProbedRuntime> probed;
  for (Runtime* runtime : runtimes) {
    if (InterruptRequested()) throw Interrupted();
    probed.push_back({runtime, run_dir == nullptr
                                   ? runtime->launcher->Probe(ProbeDepth::kShallow, {})
                                   : TryRuntime(*runtime, agent, *run_dir)});
  }
  return probed;
}

std::vector<Runtime*> SelectRuntimes(std::vector<Runtime>& all,
                                     const std::vector<std::string>& names) {
  std::vector<Runtime*> selected;
  std::string known;
  for (Runtime& runtime : all) {
    known += (known.empty() ? "" : ", ") + runtime.name();
    if (names.empty()) selected.push_back(&runtime);
  }
  for (const std::string& name : names) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Runtime& runtime) { return runtime.name() == name; });
    if (found == all.end()) throw Error("there is no runtime " + name + "; there are " + known);
    if (std::find(selected.begin(), selected.end(), &*found) == selected.end()) {
      selected.push_back(&*found);
    }
  }
  return selected;
}

std::string Explain(const ProbedRuntime& probed) {
  if (probed.probe.usable) return probed.runtime->name() + ": " + probed.probe.passed_over;
  std::string text = probed.runtime->name() + " is not usable here: " + probed.probe.reason;
  if (!probed.probe.fix.empty()) text += "; to fix it: " + probed.probe.fix;
  return text;
}

}  // namespace hvbench
