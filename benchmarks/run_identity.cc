#include "benchmarks/run_identity.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include "benchmarks/text/escape.h"
#include "fixtures/host_facts.h"
#include "runtime_launchers/support/file_hash.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

// Google Benchmark's flags that do not make it another run: they change how results are shown, or
// are among the options below.
const std::set<std::string>& IrrelevantFlags() {
  static const std::set<std::string> kFlags = {"--benchmark_color",
                                               "--benchmark_counters_tabular",
                                               "--benchmark_format",
                                               "--benchmark_repetitions",
                                               "--benchmark_min_time",
                                               "--benchmark_out_format",
                                               "--v"};
  return kFlags;
}

void AddPrograms(const Options& options, Identity& identity) {
  identity["hvbench_version"] = HVBENCH_VERSION;
  for (const fs::path& program : {fs::path("/proc/self/exe"), options.agent, options.load_agent}) {
    std::error_code none;
    if (!fs::exists(program, none)) continue;
    const std::string name = program == "/proc/self/exe" ? "hvbench" : program.filename().string();
    identity["SHA-256 of " + name] = Sha256OfFile(program);
  }
}

void AddOptions(const Options& options, Identity& identity) {
  identity["--hvbench_profile"] = options.profile_name;
  identity["--hvbench_cpus"] = std::to_string(options.cpus);
  identity["--hvbench_memory_mib"] = std::to_string(options.memory_mib);
  identity["--hvbench_work_dir"] = options.work_dir.string();
  identity["--hvbench_guest_kernel"] = options.guest_kernel.string();
  identity["--hvbench_baseline"] = options.baseline;
  if (!options.runtimes_file.empty()) {
    identity["SHA-256 of --hvbench_runtimes_file"] = Sha256OfFile(options.runtimes_file);
  }
  if (options.compare) {
    identity["--hvbench_compare"] = options.quantity + ", " +
                                    std::to_string(options.interval_percent) + " %, " +
                                    std::to_string(options.budget.count()) + " s";
  }
  identity["--benchmark_repetitions"] = std::to_string(options.repetitions);
  identity["--benchmark_min_time"] = options.fixed_iterations > 0
                                         ? std::to_string(options.fixed_iterations) + "x"
                                         : std::to_string(options.target_time.count()) + " ns";
  for (const std::string& argument : options.benchmark_arguments) {
    const std::size_t end = argument.find('=');
    const std::string flag = argument.substr(0, end);
    if (IrrelevantFlags().contains(flag)) continue;
    identity[flag] = end == std::string::npos ? "true" : argument.substr(end + 1);
  }
  for (const char* name : {"HVBENCH_GUEST_KERNEL", "HVBENCH_APPLICATION_ROOT"}) {
    if (const char* value = std::getenv(name)) identity[name] = value;
  }
}

// machine-id(5) asks not to hand it out; its hash tells machines apart as well.
void AddMachine(Identity& identity) {
  std::string id;
  std::getline(std::ifstream("/etc/machine-id"), id);
  if (id.empty()) {
    char name[256] = {};
    if (gethostname(name, sizeof name - 1) == 0) id = name;
  }
  identity["the machine"] = Sha256OfText("hvbench " + id).substr(0, 16);
  identity["its CPUs"] = std::to_string(sysconf(_SC_NPROCESSORS_CONF));
  const std::set<std::string> facts = {"host_kernel", "host_cpu_model", "host_mitigations",
                                       "host_virtualization", "host_cgroup_version"};
  for (const auto& [key, value] : CollectHostFacts()) {
    if (facts.contains(key)) identity[key] = value;
  }
}

}  // namespace

Identity IdentityOf(const Options& options, const std::vector<ProbedRuntime>& runtimes,
                    std::size_t benchmarks) {
  Identity identity;
  AddPrograms(options, identity);
  AddOptions(options, identity);
  AddMachine(identity);
  for (const ProbedRuntime& probed : runtimes) {
    identity["runtime " + probed.runtime->name()] = probed.probe.version;
  }
  identity["number of benchmarks"] = std::to_string(benchmarks);
  // As a journal gives it back, whose JSON holds no text that is not UTF-8.
  Identity clean;
  for (const auto& [key, value] : identity) clean[CleanText(key)] = CleanText(value);
  return clean;
}

}  // namespace hvbench
