#include "runtime_launchers/vm/qemu_command.h"

namespace hvbench {
namespace {

constexpr char kBridgePort[] = "hvbench";

void Add(std::vector<std::string>& arguments, std::initializer_list<std::string> more) {
  arguments.insert(arguments.end(), more);
}

// Devices that no Linux of today needs to boot are off. The clock (rtc) stays: a kernel that finds
// none polls for it for two seconds.
std::string MachineWord(const QemuPlan& plan) {
  std::string word = plan.machine.microvm
                         ? "microvm,x-option-roms=off,pit=off,pic=off,rtc=on,isa-serial=on"
                         : "q35,usb=off,vmport=off,smbus=off,sata=off,graphics=off";
  if (plan.options.preallocate) word += ",memory-backend=ram";
  return word;
}

GuestMachine MachineOf(const QemuPlan& plan, bool vsock) {
  GuestMachine machine;
  machine.has_pci = !plan.machine.microvm;
  machine.bridge_module = vsock ? "vmw_vsock_virtio_transport" : "virtio_console";
  machine.bridge_option = vsock ? "--vsock=" + std::to_string(kAgentVsockPort)
                                : std::string("--virtio-serial=") + kBridgePort;
  // At once, by a triple fault, which needs no device.
  machine.kernel_parameters = "reboot=t";
  // A machine without KVM's clock and without a timer chip has nothing to measure its TSC with, and
  // what it measures while it is emulated is the host's noise. It is the host's TSC.
  if (!plan.machine.kvm && plan.tsc_khz > 0) {
    machine.kernel_parameters += " tsc_early_khz=" + std::to_string(plan.tsc_khz);
  }
  machine.disks = plan.disks;
  machine.network = plan.network;
  return machine;
}

// As a value of a QEMU option, where a comma would end it.
std::string Quoted(const std::filesystem::path& path) {
  std::string text;
  for (const char c : path.string()) text += c == ',' ? ",," : std::string(1, c);
  return text;
}

std::string Suffix(const QemuPlan& plan) { return plan.machine.microvm ? "-device" : "-pci"; }

void AddDisks(const QemuPlan& plan, std::vector<std::string>& arguments) {
  const std::string direct = plan.direct_io ? "on" : "off";
  for (const GuestDisk& disk : plan.disks) {
    const std::string node = "disk" + std::to_string(&disk - plan.disks.data());
    Add(arguments, {"-blockdev",
                    "driver=raw,node-name=" + node + ",cache.direct=" + direct +
                        ",file.driver=file,file.cache.direct=" + direct +
                        ",file.aio=" + (plan.direct_io ? "native" : "threads") +
                        ",file.filename=" + Quoted(disk.file),
                    "-device", "virtio-blk" + Suffix(plan) + ",drive=" + node});
  }
}

void AddBridge(const QemuPlan& plan, const QemuGuestFiles& files,
               std::vector<std::string>& arguments) {
  const std::string bus = Suffix(plan);
  if (plan.vsock_cid != 0) {
    Add(arguments,
        {"-device", "vhost-vsock" + bus + ",guest-cid=" + std::to_string(plan.vsock_cid)});
    return;
  }
  Add(arguments,
      {"-chardev", "socket,id=bridge,path=" + Quoted(files.bridge) + ",server=on,wait=off",
       "-device", "virtio-serial" + bus, "-device",
       std::string("virtserialport,chardev=bridge,name=") + kBridgePort});
}

void AddNetwork(const QemuPlan& plan, std::vector<std::string>& arguments) {
  Add(arguments, {"-netdev",
                  "tap,id=network,script=no,downscript=no,ifname=" + plan.network->interface +
                      ",vhost=" + (plan.vhost_net ? "on" : "off"),
                  "-device",
                  std::string("virtio-net-") + (plan.machine.microvm ? "device" : "pci") +
                      ",netdev=network,mac=" + plan.network->mac});
}

}  // namespace

QemuOptions::QemuOptions(const std::vector<std::string>& options) {
  bool follows_flag = false;
  for (const std::string& option : options) {
    if (option == "memory=preallocated" || option == "memory=on-demand") {
      preallocate = option == "memory=preallocated";
    } else if (option == "transport=virtio-serial" || option == "transport=vsock") {
      use_vsock = option == "transport=vsock";
    } else if (option.starts_with('-') || follows_flag) {
      extra_arguments.push_back(option);
      follows_flag = option.starts_with('-');
    } else {
      throw Error("QEMU's launcher has no option " + option +
                  "; it has memory=preallocated, transport=virtio-serial, and QEMU's own flags");
    }
  }
}

QemuGuestFiles::QemuGuestFiles(const std::filesystem::path& dir)
    : monitor(dir / "qmp.sock"), bridge(dir / "bridge.sock"), console(dir / "console.log") {}

std::vector<std::string> QemuModules(const QemuPlan& plan, bool vsock) {
  return GuestModules(MachineOf(plan, vsock));
}

std::vector<std::string> QemuArguments(const QemuPlan& plan, const QemuGuestFiles& files) {
  const std::string memory = std::to_string(plan.shape.memory_mib) + "M";
  std::vector<std::string> arguments = {
      "-M", MachineWord(plan), "-accel",
      plan.machine.kvm ? "kvm" : "tcg,thread=multi,tb-size=" + std::to_string(kTcgCacheMib),
      // All that the CPU has, also what could not be migrated: an invariant TSC.
      "-cpu", plan.machine.kvm ? "host,migratable=off" : "max"};
  Add(arguments, {"-smp", std::to_string(plan.shape.vcpus), "-m", memory});
  if (plan.options.preallocate) {
    Add(arguments, {"-object", "memory-backend-ram,id=ram,size=" + memory + ",prealloc=on"});
  }
  Add(arguments, {"-no-user-config", "-nodefaults", "-display", "none", "-no-reboot"});
  Add(arguments, {"-kernel", plan.image.vmlinux.string(), "-initrd", plan.image.initramfs.string(),
                  "-append", GuestCommandLine(MachineOf(plan, plan.vsock_cid != 0))});
  Add(arguments,
      {"-chardev", "file,id=console,path=" + Quoted(files.console), "-serial", "chardev:console"});
  Add(arguments, {"-qmp", "unix:" + Quoted(files.monitor) + ",server=on,wait=off"});
  AddBridge(plan, files, arguments);
  AddDisks(plan, arguments);
  if (plan.network) AddNetwork(plan, arguments);
  if (plan.paused) arguments.emplace_back("-S");
  arguments.insert(arguments.end(), plan.options.extra_arguments.begin(),
                   plan.options.extra_arguments.end());
  return arguments;
}

}  // namespace hvbench
