#include "benchmarks/results/result_checks.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "benchmarks/results/summary.h"
#include "fixtures/runtime_fixture.h"
#include "runtime_launchers/support/process_state.h"

namespace hvbench {
namespace {

// Above it, three repetitions cannot show a difference of 20 %.
constexpr double kMaxVariation = 0.1;
// A guest's own kernel and a sentry take some of the memory that the guest was given.
constexpr double kMinMemoryShare = 0.75;
// How many names a warning holds.
constexpr std::size_t kMaxNames = 5;

std::string Join(const std::vector<std::string>& names, const char* separator = ", ") {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMaxNames); ++i) {
    text += (i == 0 ? "" : separator) + names[i];
  }
  if (names.size() > kMaxNames)
    text += " and " + std::to_string(names.size() - kMaxNames) + " more";
  return text;
}

std::set<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::set<std::string> words;
  for (std::string word; stream >> word;) words.insert(word);
  return words;
}

using Context = std::map<std::string, std::string>;

// One guest's facts against what was asked for and what the baseline's guest saw.
class GuestCheck {
 public:
  GuestCheck(const Context& context, std::string runtime, std::string baseline)
      : context_(context), runtime_(std::move(runtime)), baseline_(std::move(baseline)) {}

  std::vector<std::string> Run() {
    const std::string wanted_vcpus = Value("guest_vcpus");
    const std::string vcpus = Fact(runtime_, "vcpus");
    if (!vcpus.empty() && vcpus != wanted_vcpus) {
      Add("sees " + vcpus + " CPUs instead of " + wanted_vcpus);
    }
    const double wanted_mib = std::strtod(Value("guest_memory_mib").c_str(), nullptr);
    const std::string memory_mib = Fact(runtime_, "memory_mib");
    if (!memory_mib.empty() &&
        std::strtod(memory_mib.c_str(), nullptr) < kMinMemoryShare * wanted_mib) {
      Add("sees " + memory_mib + " MiB of memory instead of " + Value("guest_memory_mib"));
    }
    // What the launcher says, other than the guest.
    const std::string prefix = "runtime." + runtime_ + ".";
    if (Value(prefix + "root_file_system") == "another") {
      Add("has target:root on another file system (" + Value(prefix + "docker_root_dir") +
          ") than the work directory");
    }
    // Neither of the two is slewed, and the host has checked both.
    if (!IsExact(Fact(runtime_, "clock")) || !IsExact(Fact(baseline_, "clock"))) {
      CompareWithBaseline("clock");
    }
    CompareWithBaseline("page_bytes");
    CompareFlags();
    for (const std::string& text :
         DifferencesOfState(Fact(runtime_, "process_state"), Value("process_state"))) {
      Add("has " + text);
    }
    return std::move(differences_);
  }

 private:
  static bool IsExact(const std::string& clock) {
    return clock == "TSC" || clock == "CLOCK_MONOTONIC_RAW";
  }
  std::string Value(const std::string& key) const {
    const auto found = context_.find(key);
    return found == context_.end() ? "" : found->second;
  }
  std::string Fact(const std::string& runtime, const std::string& key) const {
    return Value("runtime." + runtime + ".guest." + key);
  }
  void Add(const std::string& text) { differences_.push_back(runtime_ + " " + text); }

  void CompareWithBaseline(const std::string& key) {
    const std::string theirs = Fact(runtime_, key);
    const std::string reference = Fact(baseline_, key);
    if (theirs.empty() || reference.empty() || theirs == reference) return;
    Add("has the " + key + " " + theirs + " instead of " + reference);
  }

  void CompareFlags() {
    const std::set<std::string> theirs = Words(Fact(runtime_, "cpu_flags"));
    const std::set<std::string> reference = Words(Fact(baseline_, "cpu_flags"));
    if (theirs.empty()) return;
    std::vector<std::string> hidden;
    std::set_difference(reference.begin(), reference.end(), theirs.begin(), theirs.end(),
                        std::back_inserter(hidden));
    if (!hidden.empty()) {
      Add("does not see " + std::to_string(hidden.size()) + " CPU flags (" + Join(hidden, " ") +
          ")");
    }
  }

  const Context& context_;
  std::string runtime_;
  std::string baseline_;
  std::vector<std::string> differences_;
};

std::set<std::string> RuntimesOf(const Context& context) {
  constexpr std::string_view kPrefix = "runtime.";
  constexpr std::string_view kSuffix = ".guest.vcpus";
  std::set<std::string> runtimes;
  for (const auto& [key, value] : context) {
    if (!key.starts_with(kPrefix) || !key.ends_with(kSuffix)) continue;
    runtimes.insert(key.substr(kPrefix.size(), key.size() - kPrefix.size() - kSuffix.size()));
  }
  return runtimes;
}

}  // namespace

std::string_view NameOf(ResultWarningKind kind) {
  switch (kind) {
    case ResultWarningKind::kNoisyResults:
      return "noisy_results";
    case ResultWarningKind::kFasterThanBaseline:
      return "faster_than_baseline";
    case ResultWarningKind::kUnequalGuests:
      return "unequal_guests";
    case ResultWarningKind::kPeerIsTheLimit:
      return "peer_is_the_limit";
  }
  return "unknown";
}

std::vector<Warning> CheckResults(const Results& results, const std::string& baseline) {
  std::vector<std::string> noisy;
  std::vector<std::string> faster;
  std::vector<std::string> limited;
  const Summary summary(results, baseline);
  for (const std::string& kernel : results.kernels()) {
    for (const std::string& runtime : results.runtimes()) {
      const CellResult* cell = results.Find(kernel, runtime);
      if (cell == nullptr || !cell->Measured()) continue;
      const std::string name = kernel + "/runtime:" + runtime;
      if (CoefficientOfVariation(SamplingUnitValues(*cell)) > kMaxVariation) noisy.push_back(name);
      const Comparison* comparison = summary.Find(kernel, runtime);
      // A difference that is too small to be called one is none here either.
      if (comparison != nullptr && IsBetter(comparison->verdict, results.quantity())) {
        faster.push_back(name);
      }
      if (OtherSideBusyPercent(*cell) >= kBusyPercent) limited.push_back(name);
    }
  }
  std::vector<Warning> warnings;
  if (!noisy.empty()) {
    warnings.push_back({NameOf(ResultWarningKind::kNoisyResults),
                        results.quantity().name + " varies by more than 10 %: " + Join(noisy),
                        "stop other work, or measure longer: --hvbench_profile=full"});
  }
  if (!faster.empty()) {
    const Quantity& quantity = results.quantity();
    const std::string_view better =
        quantity.better == Better::kMore ? quantity.NameOfHigher() : quantity.NameOfLower();
    warnings.push_back({NameOf(ResultWarningKind::kFasterThanBaseline),
                        std::string(better) + " than " + baseline + ": " + Join(faster),
                        "look for a cache, another page size or a clock before you believe it"});
  }
  if (!limited.empty()) {
    warnings.push_back(
        {NameOf(ResultWarningKind::kPeerIsTheLimit),
         "the network peer or the load generator was busy all the time: " + Join(limited),
         "the runtime may be faster than that: compare cpu_time and host_cpu_ns"});
  }
  return warnings;
}

std::vector<Warning> CheckFairness(const Context& context, const std::string& baseline) {
  std::vector<std::string> differences;
  for (const std::string& runtime : RuntimesOf(context)) {
    for (std::string& text : GuestCheck(context, runtime, baseline).Run()) {
      differences.push_back(std::move(text));
    }
  }
  if (differences.empty()) return {};
  return {{NameOf(ResultWarningKind::kUnequalGuests), Join(differences, "; "),
           "compare the runtime.*.guest.* facts before the times"}};
}

}  // namespace hvbench
