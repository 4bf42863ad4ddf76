#include "runtime_launchers/vm/kvm.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {
namespace {

constexpr auto kTinyGuestTimeout = std::chrono::seconds(1);
constexpr char kEnableFix[] =
    "enable hardware virtualization, or nested virtualization where this is a VM";

// mov $0x42, %al; out %al, $0x10; hlt, in real mode at a page that is all of the guest's memory.
constexpr unsigned char kTinyGuest[] = {0xB0, 0x42, 0xE6, 0x10, 0xF4};
constexpr std::uint16_t kTinyGuestPort = 0x10;
constexpr std::uint64_t kTinyGuestAddress = 0x1000;
constexpr std::size_t kPageBytes = 4096;
constexpr unsigned long kTssAddress = 0xFFFB'D000;  // unused; Intel CPUs want one for real mode

bool CpuHasExtension() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string word; cpuinfo >> word;) {
    if (word == "vmx" || word == "svm") return true;
  }
  return false;
}

void* MapPages(std::size_t bytes, int flags, int fd) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

bool EnterRealMode(int vcpu) {
  kvm_sregs segments{};
  if (ioctl(vcpu, KVM_GET_SREGS, &segments) != 0) return false;
  segments.cs.base = 0;
  segments.cs.selector = 0;
  kvm_regs registers{};
  registers.rip = kTinyGuestAddress;
  registers.rflags = 2;
  return ioctl(vcpu, KVM_SET_SREGS, &segments) == 0 && ioctl(vcpu, KVM_SET_REGS, &registers) == 0;
}

// True if the guest wrote its byte to its port and then halted.
bool RunTinyGuest(int device) {
  const int machine = ioctl(device, KVM_CREATE_VM, 0);
  if (machine < 0) return false;
  ioctl(machine, KVM_SET_TSS_ADDR, kTssAddress);
  void* const memory = MapPages(kPageBytes, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (memory == nullptr) return false;
  std::memcpy(memory, kTinyGuest, sizeof kTinyGuest);
  kvm_userspace_memory_region region{};
  region.guest_phys_addr = kTinyGuestAddress;
  region.memory_size = kPageBytes;
  region.userspace_addr = reinterpret_cast<std::uintptr_t>(memory);
  if (ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) != 0) return false;
  const int vcpu = ioctl(machine, KVM_CREATE_VCPU, 0);
  const int run_bytes = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (vcpu < 0 || run_bytes < static_cast<int>(sizeof(kvm_run))) return false;
  const auto* const run =
      static_cast<const kvm_run*>(MapPages(static_cast<std::size_t>(run_bytes), MAP_SHARED, vcpu));
  if (run == nullptr || !EnterRealMode(vcpu)) return false;
  if (ioctl(vcpu, KVM_RUN, 0) != 0 || run->exit_reason != KVM_EXIT_IO ||
      run->io.port != kTinyGuestPort || run->io.direction != KVM_EXIT_IO_OUT) {
    return false;
  }
  return ioctl(vcpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_HLT;
}

// In a process of its own: an emulation of the device may hang in it for ever.
bool TinyGuestWorks(int device) {
  const pid_t pid = fork();
  if (pid < 0) throw SystemError("cannot create a process", errno);
  if (pid == 0) _exit(RunTinyGuest(device) ? 0 : 1);
  Process child = Process::Adopt(IdentityProof::OfOwnChild(pid));
  const auto status = child.Wait(Deadline::In(kTinyGuestTimeout));
  return status && status->success();
}

}  // namespace

std::optional<Unusable> CheckKvmDevice(const std::filesystem::path& device) {
  const UniqueFd fd(open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) {
    const int error = errno;
    return Unusable{device.string() + " cannot be opened: " + strerror(error),
                    error == EACCES || error == EPERM ? "run as root, or: usermod -aG kvm $USER"
                                                      : "modprobe kvm_intel or kvm_amd"};
  }
  if (!TinyGuestWorks(fd.get())) {
    return Unusable{"a tiny guest of " + device.string() + " did not run as it should", kEnableFix};
  }
  return std::nullopt;
}

std::optional<Unusable> CheckKvm() {
  static const std::optional<Unusable> kResult =
      CpuHasExtension()
          ? CheckKvmDevice("/dev/kvm")
          : Unusable{"the CPU shows no hardware virtualization (neither vmx nor svm)", kEnableFix};
  return kResult;
}

}  // namespace hvbench
