#include "runtime_launchers/vm/qemu_command.h"

namespace hvbench {
namespace {

constexpr char kBridgePort[] = "hvbench";

void Add(std::vector<std::string>& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
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
  machine.kernel_words = "reboot=t";
  // A machine without KVM's clock and without a timer chip has nothing to measure its TSC with, and
  // what it measures while it is emulated is the host's noise. It is the host's TSC.
  if (!plan.machine.kvm && plan.tsc_khz > 0) {
    machine.kernel_words += " tsc_early_khz=" + std::to_string(plan.tsc_khz);
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

void AddDisks(const QemuPlan& plan, std::vector<std::string>& words) {
  const std::string direct = plan.direct_io ? "on" : "off";
  for (const GuestDisk& disk : plan.disks) {
    const std::string node = "disk" + std::to_string(&disk - plan.disks.data());
    Add(words, {"-blockdev",
                "driver=raw,node-name=" + node + ",cache.direct=" + direct +
                    ",file.driver=file,file.cache.direct=" + direct + ",file.aio=" +
                    (plan.direct_io ? "native" : "threads") + ",file.filename=" + Quoted(disk.file),
                "-device", "virtio-blk" + Suffix(plan) + ",drive=" + node});
  }
}

void AddBridge(const QemuPlan& plan, const QemuGuestFiles& files, std::vector<std::string>& words) {
  const std::string bus = Suffix(plan);
  if (plan.vsock_cid != 0) {
    Add(words, {"-device", "vhost-vsock" + bus + ",guest-cid=" + std::to_string(plan.vsock_cid)});
    return;
  }
  Add(words, {"-chardev", "socket,id=bridge,path=" + Quoted(files.bridge) + ",server=on,wait=off",
              "-device", "virtio-serial" + bus, "-device",
              std::string("virtserialport,chardev=bridge,name=") + kBridgePort});
}

void AddNetwork(const QemuPlan& plan, std::vector<std::string>& words) {
  Add(words, {"-netdev",
              "tap,id=network,script=no,downscript=no,ifname=" + plan.network->interface +
                  ",vhost=" + (plan.vhost_net ? "on" : "off"),
              "-device",
              std::string("virtio-net-") + (plan.machine.microvm ? "device" : "pci") +
                  ",netdev=network,mac=" + plan.network->mac});
}

}  // namespace

QemuOptions::QemuOptions(const std::vector<std::string>& words) {
  bool follows_flag = false;
  for (const std::string& word : words) {
    if (word == "memory=preallocated" || word == "memory=on-demand") {
      preallocate = word == "memory=preallocated";
    } else if (word == "transport=virtio-serial" || word == "transport=vsock") {
      use_vsock = word == "transport=vsock";
    } else if (word.starts_with('-') || follows_flag) {
      extra_words.push_back(word);
      follows_flag = word.starts_with('-');
    } else {
      throw Error("QEMU's launcher has no option " + word +
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
  std::vector<std::string> words = {
      "-M", MachineWord(plan), "-accel",
      plan.machine.kvm ? "kvm" : "tcg,thread=multi,tb-size=" + std::to_string(kTcgCacheMib),
      // All that the CPU has, also what could not be migrated: an invariant TSC.
      "-cpu", plan.machine.kvm ? "host,migratable=off" : "max"};
  Add(words, {"-smp", std::to_string(plan.shape.vcpus), "-m", memory});
  if (plan.options.preallocate) {
    Add(words, {"-object", "memory-backend-ram,id=ram,size=" + memory + ",prealloc=on"});
  }
  Add(words, {"-no-user-config", "-nodefaults", "-display", "none", "-no-reboot"});
  Add(words, {"-kernel", plan.image.vmlinux.string(), "-initrd", plan.image.initramfs.string(),
              "-append", GuestCommandLine(MachineOf(plan, plan.vsock_cid != 0))});
  Add(words,
      {"-chardev", "file,id=console,path=" + Quoted(files.console), "-serial", "chardev:console"});
  Add(words, {"-qmp", "unix:" + Quoted(files.monitor) + ",server=on,wait=off"});
  AddBridge(plan, files, words);
  AddDisks(plan, words);
  if (plan.network) AddNetwork(plan, words);
  if (plan.paused) words.emplace_back("-S");
  words.insert(words.end(), plan.options.extra_words.begin(), plan.options.extra_words.end());
  return words;
}

}  // namespace hvbench
