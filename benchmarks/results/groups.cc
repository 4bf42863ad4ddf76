#include "benchmarks/results/groups.h"

#include <algorithm>
#include <optional>
#include <regex>
#include <set>
#include <utility>

#include "fixtures/runtime_fixture.h"

namespace hvbench {
namespace {

// The first that fits names the group; a kernel that none fits is in its subsystem's.
const std::vector<std::pair<std::regex, std::string>>& Meanings() {
  static const std::vector<std::pair<std::regex, std::string>> kMeanings = [] {
    const std::pair<const char*, const char*> texts[] = {
        {"^memory/(stream_|memcpy)", "memory bandwidth"},
        {"^memory/pointer_chase", "memory latency"},
        {"^memory/(page_fault|mmap_munmap|mprotect)", "memory management"},
        // Whose time is the interval that they are offered at.
        {"^network/.*/rate:[0-9]", "network at a rate"},
        {"^network/loopback_(tcp_rr|tcp_connect)", "network loopback latency"},
        {"^network/loopback_", "network loopback throughput"},
        {"^network/(tcp_rr|tcp_connect)", "network latency"},
        {"^network/(tcp_stream|udp)", "network throughput"},
        {"^disk/(create_unlink|stat|rename|readdir)", "disk metadata"},
        {"^disk/(fsync|append)", "disk latency"},
        {"^disk/.*/block_kib:4/depth:1/jobs:1/", "disk latency"},
        {"^disk/.*/depth:", "disk throughput"},
        {"^nginx/http_at_rate", "nginx at a rate"},
        {"^nginx/http", "nginx throughput"},
        {"^mysql/connect", "mysql connections"},
        {"^mysql/oltp", "mysql transactions"},
        {"^startup/memory", "startup memory"},
        {"^startup/first_touch", "startup memory touched first"},
        {"^startup/density", "startup density"},
    };
    std::vector<std::pair<std::regex, std::string>> meanings;
    for (const auto& [pattern, name] : texts) meanings.emplace_back(std::regex(pattern), name);
    return meanings;
  }();
  return kMeanings;
}

std::string MeaningOf(const std::string& kernel) {
  for (const auto& [pattern, name] : Meanings()) {
    if (std::regex_search(kernel, pattern)) return name;
  }
  return SubsystemOf(kernel);
}

// Whether most of the bytes that the guest asked for reached the host's disks; nothing if the rows
// do not say.
std::optional<bool> ReachedDisk(const CellResult& cell) {
  const std::vector<double> ratios = cell.Values(kHostIoCounter);
  if (ratios.empty()) return std::nullopt;
  constexpr double kMost = 0.5;
  const auto reached =
      std::count_if(ratios.begin(), ratios.end(), [](double ratio) { return ratio >= kMost; });
  return 2 * static_cast<std::size_t>(reached) > ratios.size();
}

struct Kernel {
  std::string name;
  std::string group;
  std::set<std::string> measured_in;  // runtimes, in all of the results
  bool comparable = true;             // its bytes came from the same kind of place everywhere
};

Kernel KernelOf(const std::string& name, const std::vector<const Results*>& all) {
  Kernel kernel{name, MeaningOf(name), {}, true};
  std::set<std::optional<bool>> reached;
  for (const std::string& runtime : all.front()->runtimes()) {
    std::vector<const CellResult*> cells;
    for (const Results* results : all) {
      const CellResult* cell = results->Find(name, runtime);
      if (cell != nullptr && cell->Measured()) cells.push_back(cell);
    }
    if (cells.size() < all.size()) continue;
    kernel.measured_in.insert(runtime);
    for (const CellResult* cell : cells) reached.insert(ReachedDisk(*cell));
  }
  kernel.comparable = reached.size() <= 1;
  const bool in_memory = name.find("/target:tmpfs") != std::string::npos;
  if (reached.contains(true)) {
    kernel.group += kernel.comparable ? " (disk)" : " (disk or cache)";
  } else if (reached.contains(false) || in_memory) {
    kernel.group += " (cache)";
  }
  return kernel;
}

}  // namespace

std::string SubsystemOf(const std::string& kernel) { return kernel.substr(0, kernel.find('/')); }

std::vector<Group> GroupsOf(const std::vector<const Results*>& all) {
  std::vector<Group> groups;
  std::vector<std::vector<Kernel>> members;
  for (const std::string& name : all.front()->kernels()) {
    Kernel kernel = KernelOf(name, all);
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& group) { return group.name == kernel.group; });
    if (found == groups.end()) {
      found = groups.insert(groups.end(), Group{kernel.group, SubsystemOf(name), {}, {}});
      members.emplace_back();
    }
    found->kernels.push_back(name);
    members[static_cast<std::size_t>(found - groups.begin())].push_back(std::move(kernel));
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::set<std::string> columns;
    for (const Kernel& kernel : members[i]) {
      columns.insert(kernel.measured_in.begin(), kernel.measured_in.end());
    }
    for (const Kernel& kernel : members[i]) {
      if (kernel.comparable && !columns.empty() && kernel.measured_in == columns) {
        groups[i].common.push_back(kernel.name);
      }
    }
  }
  return groups;
}

}  // namespace hvbench
