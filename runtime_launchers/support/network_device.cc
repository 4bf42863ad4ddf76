#include "runtime_launchers/support/network_device.h"

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/log_tail.h"
#include "runtime_launchers/support/process.h"

namespace hvbench {
void RunIp(const std::filesystem::path& network_namespace,
           const std::vector<std::string>& arguments, Deadline deadline) {
  const auto program = FindExecutable("ip");
  if (!program) throw Error("there is no program ip; apt-get install iproute2");
  std::vector<std::string> argv = {program->string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  SpawnOptions options;
  options.network_namespace = network_namespace;
  const CommandResult result = RunCommand(argv, options, deadline, /*interruptible=*/false);
  if (!result.status.success()) {
    throw Error("'" + CommandLine(argv) + "' " + result.status.Describe() + AsQuote(result.output));
  }
}

void SetUpDevice(const std::filesystem::path& network_namespace, const GuestNetwork& network,
                 Deadline deadline) {
  const std::string address = network.address + "/" + std::to_string(network.prefix_bits);
  RunIp(network_namespace, {"link", "set", "lo", "up"}, deadline);
  RunIp(network_namespace, {"address", "add", address, "dev", network.interface}, deadline);
  RunIp(network_namespace, {"link", "set", network.interface, "up"}, deadline);
}

void MoveDeviceTo(pid_t pid, const GuestNetwork& network, Deadline deadline) {
  const std::string process = std::to_string(pid);
  RunIp(network.network_namespace, {"link", "set", network.interface, "netns", process}, deadline);
  // The move took its address away.
  SetUpDevice("/proc/" + process + "/ns/net", network, deadline);
}

}  // namespace hvbench
