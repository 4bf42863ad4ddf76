#include "runtime_launchers/vm/guest_boot.h"

#include <algorithm>

#include "runtime_launchers/support/process_state.h"

namespace hvbench {

std::vector<GuestDisk> GuestDisksOf(const LaunchRequest& request) {
  std::vector<GuestDisk> disks;
  const auto add = [&disks](const std::filesystem::path& file, const char* option, bool has_ext4) {
    if (file.empty()) return;
    const char letter = static_cast<char>('a' + disks.size());
    disks.push_back({file, std::string(option) + "=/dev/vd" + letter, has_ext4});
  };
  add(request.root_image, request.application ? "--application" : "--scratch", /*has_ext4=*/true);
  add(request.disk_image, "--disk", /*has_ext4=*/false);
  return disks;
}

std::vector<std::string> GuestModules(const GuestMachine& machine) {
  std::vector<std::string> modules = {machine.has_pci ? "virtio_pci" : "virtio_mmio",
                                      machine.bridge_module};
  if (!machine.disks.empty()) modules.emplace_back("virtio_blk");
  if (std::ranges::any_of(machine.disks, &GuestDisk::has_ext4)) modules.emplace_back("ext4");
  if (machine.network) modules.emplace_back("virtio_net");
  return modules;
}

std::string GuestCommandLine(const GuestMachine& machine) {
  // A panic and the agent's end both reset the machine, which ends the VMM. Errors, panics and the
  // agent's output go to the console.
  std::string command_line =
      "rdinit=/init panic=-1 quiet printk.devkmsg=on earlyprintk=ttyS0,115200,keep "
      "8250.nr_uarts=0 tsc=reliable no_timer_check cryptomgr.notests random.trust_cpu=on " +
      machine.kernel_parameters + " -- --init" + StateOptionsOfMachine();
  if (machine.network) {
    command_line += " --address=" + machine.network->address + "/" +
                    std::to_string(machine.network->prefix_bits) +
                    " --peer=" + machine.network->peer;
  }
  for (const GuestDisk& disk : machine.disks) command_line += " " + disk.agent_option;
  return command_line + " " + machine.bridge_option;
}

}  // namespace hvbench
