// Runtimes that are a command taking an OCI bundle: runc, crun, runsc. One adapter for all of them,
// so that their guests differ in the runtime alone.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime_launchers/launcher.h"
#include "runtime_launchers/oci/bundle.h"
#include "runtime_launchers/support/unusable.h"

namespace hvbench {

// What tells one such runtime from another.
struct OciRuntime {
  std::string command;                        // looked up in PATH where the user names no binary
  std::string binary_variable;                // an environment variable that names one; or ""
  std::string install_fix;                    // how to get the command
  std::vector<std::string> options;           // global ones, before the user's own
  std::vector<std::string> network_options;   // more of them for a guest with a network of ours
  std::vector<std::string> isolated_options;  // and for one without
  std::map<std::string, std::string> facts;   // beyond those that all have in common
  std::filesystem::path hidden_mount;         // that the command must not see; or ""
  std::filesystem::path covered_sysctls;  // a folder of /proc/sys/net that must look empty to it
                                          // in the namespace of a network of ours; or ""
  OciConfigExtras extras;                 // of the bundle's config.json
  std::string guest_memory_file;          // as GuestTraits::memory_file
  // Of a runtime whose containers are virtual machines: the MiB that its VMM may use beyond the
  // memory of the guest.
  std::optional<std::int64_t> vmm_memory_mib;
  NetworkDevice network_device = NetworkDevice::kVeth;
  ApplicationForm application_form = ApplicationForm::kDirectory;
  // Optional: whether this version can work on this machine, without starting a guest.
  std::function<std::optional<Unusable>(const std::string& version)> check;
  // Optional: what a failed trial start means, from what the runtime printed.
  std::function<std::optional<Unusable>(const std::string& log)> explain;
};

std::unique_ptr<Launcher> MakeOciLauncher(RuntimeOptions options, OciRuntime runtime);

// The parts of that launcher that others, which call the same command, need too.
//
// The command with its global options. Error if there is none.
std::vector<std::string> OciCommand(const RuntimeOptions& options, const OciRuntime& runtime,
                                    bool has_network);
// Without starting a guest; fills in `version` as soon as it is known.
std::optional<Unusable> CheckOciCommand(const RuntimeOptions& options, const OciRuntime& runtime,
                                        std::string& version);

// "runc version 1.1.5+ds1\ncommit: ..." -> "1.1.5+ds1".
std::string ParseVersion(const std::string& output);

}  // namespace hvbench
