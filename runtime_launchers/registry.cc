#include <utility>

#include "runtime_launchers/launcher.h"

namespace hvbench {

#define HVBENCH_RUNTIME(kind, factory) std::unique_ptr<Launcher> factory(RuntimeOptions options);
#include "runtime_launchers/runtimes.def"
#undef HVBENCH_RUNTIME

namespace {

std::vector<RegisteredLauncher>& Launchers() {
  static std::vector<RegisteredLauncher> launchers = {
#define HVBENCH_RUNTIME(kind, factory) {kind, factory},
#include "runtime_launchers/runtimes.def"
#undef HVBENCH_RUNTIME
  };
  return launchers;
}

}  // namespace

const std::vector<RegisteredLauncher>& RegisteredLaunchers() { return Launchers(); }

void RegisterLauncher(RegisteredLauncher launcher) { Launchers().push_back(std::move(launcher)); }

}  // namespace hvbench
