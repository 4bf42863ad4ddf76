// What the probes of all launchers do alike: look at what is installed, try one guest, and turn
// whatever goes wrong into a reason with its fix.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "runtime_launchers/launcher.h"
#include "runtime_launchers/support/deadline.h"
#include "runtime_launchers/support/unusable.h"

namespace hvbench {

// Runs `check`, which fills in the version, and `trial` after it if the depth asks for one. Each
// returns why the runtime cannot be used, or nothing; what it throws is a reason too, with the fix
// that the error knows. Interrupted is passed on.
ProbeResult RunProbe(ProbeDepth depth,
                     const std::function<std::optional<Unusable>(ProbeResult&)>& check,
                     const std::function<std::optional<Unusable>()>& trial);

struct InstalledProgram {
  std::filesystem::path binary;
  std::string version_output;
};

// Asks a program for its version. Nothing, and the program in `found`, if it is there and answers
// before the deadline; `install` is what to do if not.
std::optional<Unusable> FindInstalled(const std::filesystem::path& name, const std::string& install,
                                      Deadline deadline, InstalledProgram& found);

// Of a launch: the program's path. Throws Error, with `install`, if it is not there.
std::filesystem::path RequireProgram(const std::filesystem::path& name, const std::string& runtime,
                                     const std::string& install);

std::optional<Unusable> CheckRoot();

}  // namespace hvbench
