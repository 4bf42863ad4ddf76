// The JSON's context: host, run, and what each runtime and guest was. Keys are flat, since Google
// Benchmark's context is: "runtime.gvisor.version".
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "benchmarks/options.h"
#include "benchmarks/runtime_selection.h"
#include "fixtures/guest_pool.h"
#include "fixtures/images/application_root.h"
#include "fixtures/warning.h"

namespace hvbench {

class JournalContents;

class RunContext {
 public:
  void AddRun(const Options& options, const std::string& agent_build_id, const GuestShape& shape);
  void AddWarnings(const std::vector<Warning>& warnings);
  void AddNetwork(const NetLab& netlab);
  void AddApplications(const ApplicationRoot& applications, const std::set<std::string>& packages);
  void AddRuntime(const ProbedRuntime& probed);
  void AddComparison(const std::string& baseline, double interval_percent, int blocks);
  // The facts of the runtime's last boot, and the time to the first reply of every boot.
  void AddGuest(const std::string& runtime, LiveGuest& guest);

  // For a run that ends before it has measured everything.
  void AddUnfinished(const JournalContents& journal);

  // For a run that goes on: what was known before, and when each of its parts was begun.
  void Resume(const JournalContents& journal);

  const std::map<std::string, std::string>& entries() const { return entries_; }

  // Hands all over to Google Benchmark. Once.
  void Publish() const;

 private:
  std::map<std::string, std::string> entries_;
};

}  // namespace hvbench
