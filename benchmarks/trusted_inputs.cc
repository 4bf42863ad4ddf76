#include "benchmarks/trusted_inputs.h"

#include <string>

#include "fixtures/images/application_root.h"
#include "fixtures/images/image_cache.h"
#include "runtime_launchers/support/trusted_path.h"
#include "runtime_launchers/support/work_dir.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

struct Input {
  const char* what;
  fs::path path;
  const char* how_to_choose;
};

}  // namespace

void CheckTrustedInputs(const Options& options) {
  OpenWorkDir(options.work_dir);
  const Input inputs[] = {
      {"the agent", options.agent, "--hvbench_agent"},
      {"the load generator", options.load_agent, "another build of hvbench"},
      {"the runtimes file", options.runtimes_file, "--hvbench_runtimes_file"},
      {"the guest kernel", FindGuestKernel(options.guest_kernel), "--hvbench_guest_kernel"},
      {"the applications' root file system", FindApplicationRoot() / "id",
       "HVBENCH_APPLICATION_ROOT"},
  };
  for (const Input& input : inputs) {
    if (input.path.empty()) continue;
    try {
      RequireTrusted(input.path, TrustedOwners::kPrograms);
    } catch (const UntrustedPath& e) {
      throw Error(std::string(input.what) + " " + input.path.string() + " is not safe to use: " +
                  e.what() + "; or choose another with " + input.how_to_choose);
    }
  }
}

}  // namespace hvbench
