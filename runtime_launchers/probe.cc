#include "runtime_launchers/probe.h"

#include <unistd.h>

#include "runtime_launchers/guest_image.h"
#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/identity.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/process.h"

namespace hvbench {

ProbeResult RunProbe(ProbeDepth depth,
                     const std::function<std::optional<Unusable>(ProbeResult&)>& check,
                     const std::function<std::optional<Unusable>()>& trial) {
  ProbeResult result;
  std::optional<Unusable> problem;
  try {
    problem = check(result);
    if (!problem && depth == ProbeDepth::kTrial) problem = trial();
  } catch (const Interrupted&) {
    throw;
  } catch (const NoGuestKernel& error) {
    problem = Unusable{error.what(), error.fix()};
  } catch (const NotProved& error) {
    problem = Unusable{error.what(), kSameNamespaceFix};
  } catch (const std::exception& error) {
    problem = Unusable{error.what(), ""};
  }
  result.usable = !problem;
  if (problem) {
    result.reason = problem->reason;
    result.fix = problem->fix;
  }
  return result;
}

std::optional<Unusable> FindInstalled(const std::filesystem::path& name, const std::string& install,
                                      Deadline deadline, InstalledProgram& found) {
  const auto binary = FindExecutable(name);
  if (!binary) return Unusable{name.string() + " is not installed", install};
  const CommandResult version = RunCommand({binary->string(), "--version"}, deadline);
  if (!version.status.success()) {
    return Unusable{"'" + binary->string() + " --version' " + version.status.Describe() +
                        AsQuote(version.output),
                    install};
  }
  found = {*binary, version.output};
  return std::nullopt;
}

std::filesystem::path RequireProgram(const std::filesystem::path& name, const std::string& runtime,
                                     const std::string& install) {
  if (auto binary = FindExecutable(name)) return *std::move(binary);
  throw Error("there is no program " + name.string() + " for runtime " + runtime + ": " + install);
}

std::optional<Unusable> CheckRoot() {
  if (geteuid() == 0) return std::nullopt;
  return Unusable{"it needs root", "run as root: sudo hvbench"};
}

}  // namespace hvbench
