#include "benchmarks/run_context.h"

#include <benchmark/benchmark.h>

#include "benchmarks/results/journal_contents.h"
#include "benchmarks/text/escape.h"
#include "fixtures/host_cache.h"
#include "fixtures/host_facts.h"
#include "fixtures/saturate.h"
#include "fixtures/shared_tsc.h"
#include "runtime_launchers/support/process_state.h"
#include "runtime_launchers/vm/tsc.h"

namespace hvbench {
namespace {

std::string Join(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

double Ms(std::int64_t from_ns, std::int64_t to_ns) {
  return static_cast<double>(SaturatingSubtract(to_ns, from_ns)) * 1e-6;
}

}  // namespace

void RunContext::AddRun(const Options& options, const std::string& agent_build_id,
                        const GuestShape& shape) {
  entries_["hvbench_version"] = HVBENCH_VERSION;
  entries_["hvbench_profile"] = options.profile_name;
  entries_["agent_build_id"] = agent_build_id;
  entries_["guest_vcpus"] = std::to_string(shape.vcpus);
  entries_["guest_memory_mib"] = std::to_string(shape.memory_mib);
  entries_["process_state"] = StatedProcessState();
  entries_["guest_host_cpus"] = Join(shape.host_cpus);
  if (const std::int64_t bytes = LastLevelCacheBytes(shape.host_cpus); bytes > 0) {
    entries_["guest_llc_bytes"] = std::to_string(bytes);
  }
  for (const auto& [key, value] : CollectHostFacts()) entries_[key] = value;
}

void RunContext::AddWarnings(const std::vector<Warning>& warnings) {
  for (const Warning& warning : warnings) {
    entries_["warning." + std::string(warning.kind)] = warning.text + "; advice: " + warning.advice;
  }
}

void RunContext::AddNetwork(const NetLab& netlab) {
  for (const auto& [key, value] : netlab.Facts()) entries_["network." + key] = value;
}

void RunContext::AddApplications(const ApplicationRoot& applications,
                                 const std::set<std::string>& packages) {
  for (const auto& [key, value] : applications.Facts(packages))
    entries_["applications." + key] = value;
}

void RunContext::AddRuntime(const ProbedRuntime& probed) {
  const std::string prefix = "runtime." + probed.runtime->name() + ".";
  entries_[prefix + "version"] = probed.probe.version;
  entries_[prefix + "launcher"] = probed.runtime->kind;
}

void RunContext::AddGuest(const std::string& runtime, LiveGuest& guest) {
  const std::string prefix = "runtime." + runtime + ".";
  for (const auto& [key, value] : guest.guest().Facts()) entries_[prefix + key] = value;
  for (const auto& [key, value] : guest.hello().facts) entries_[prefix + "guest." + key] = value;
  entries_[prefix + "transport"] = guest.bridge().transport_kind();
  entries_[prefix + "guest.clock"] = guest.hello().clock;
  if (guest.hello().clock == kTscClock) {
    entries_[prefix + "guest.clock_tsc_khz"] = std::to_string(HostTscKhz());
  }
  entries_[prefix + "guest.clock_read_ns"] =
      std::to_string(static_cast<double>(guest.hello().clock_read_ps) / 1e3);
  const BootTimeline& boot = guest.timeline();
  const auto add_phase = [&](const char* key, std::int64_t at_ns) {
    entries_[prefix + key] = std::to_string(Ms(boot.launch_called_ns, at_ns));
  };
  add_phase("process_started_ms", boot.process_started_ns);
  if (boot.guest_kernel_entered_ns) add_phase("kernel_entered_ms", *boot.guest_kernel_entered_ns);
  add_phase("agent_started_ms", boot.agent_started_ns);
  add_phase("first_reply_ms", boot.first_reply_ns);
  std::string& boots = entries_[prefix + "boots_first_reply_ms"];
  boots += (boots.empty() ? "" : ",") + entries_[prefix + "first_reply_ms"];
}

void RunContext::AddComparison(const std::string& baseline, double interval_percent, int blocks) {
  entries_["comparison_baseline"] = baseline;
  entries_["comparison_interval_percent"] = std::to_string(interval_percent);
  entries_["comparison_blocks"] = std::to_string(blocks);
}

void RunContext::Resume(const JournalContents& journal) {
  for (const auto& [key, value] : journal.context()) entries_.try_emplace(key, value);
  for (std::size_t i = 0; i < journal.starts().size(); ++i) {
    const JournalContents::Start& start = journal.starts()[i];
    entries_["start." + std::to_string(i + 1)] =
        start.date + ", boots from " + std::to_string(start.first_boot);
  }
}

void RunContext::AddUnfinished(const JournalContents& journal) {
  entries_[kUnfinishedKey] = DescribeUnfinished(journal);
}

void RunContext::Publish() const {
  for (const auto& [key, value] : entries_) {
    benchmark::AddCustomContext(CleanText(key), CleanText(value));
  }
}

}  // namespace hvbench
