#include "benchmarks/doctor.h"

#include <algorithm>
#include <iomanip>

#include "benchmarks/text/escape.h"
#include "runtime_launchers/support/json.h"

namespace hvbench {

void PrintDoctor(const std::vector<ProbedRuntime>& runtimes, std::ostream& out) {
  // What runtimes print about themselves, or are called in a file of the user's.
  const auto version_of = [](const ProbedRuntime& probed) {
    constexpr std::size_t kMostVersionBytes = 100;
    return ForTerminalLine(probed.probe.version.substr(0, kMostVersionBytes));
  };
  std::size_t name_width = 7;
  std::size_t version_width = 7;
  for (const ProbedRuntime& probed : runtimes) {
    name_width = std::max(name_width, ForTerminalLine(probed.runtime->name()).size());
    version_width = std::max(version_width, version_of(probed).size());
  }
  const auto row = [&](const std::string& name, const std::string& usable,
                       const std::string& version, const std::string& reason) {
    out << std::left << std::setw(static_cast<int>(name_width)) << name << "  " << std::setw(6)
        << usable << "  " << std::setw(static_cast<int>(version_width)) << version << "  " << reason
        << '\n';
  };
  row("runtime", "usable", "version", "why not");
  for (const ProbedRuntime& probed : runtimes) {
    row(ForTerminalLine(probed.runtime->name()), probed.probe.usable ? "yes" : "no",
        version_of(probed),
        ForTerminal(probed.probe.usable ? probed.probe.passed_over : probed.probe.reason));
  }
  bool first = true;
  for (const ProbedRuntime& probed : runtimes) {
    if (probed.probe.usable || probed.probe.fix.empty()) continue;
    out << (first ? "\nto fix it:\n" : "") << "  " << ForTerminalLine(probed.runtime->name())
        << ": " << ForTerminal(probed.probe.fix) << '\n';
    first = false;
  }
}

void PrintDoctorJson(const std::vector<ProbedRuntime>& runtimes, std::ostream& out) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ProbedRuntime& probed : runtimes) {
    list.push_back({{"name", probed.runtime->name()},
                    {"launcher", probed.runtime->kind},
                    {"usable", probed.probe.usable},
                    {"version", probed.probe.version},
                    {"reason", probed.probe.reason},
                    {"fix", probed.probe.fix}});
  }
  // What a runtime printed about itself may be no UTF-8.
  out << nlohmann::ordered_json{{"runtimes", list}}.dump(
             2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
      << '\n';
}

}  // namespace hvbench
