#include "runtime_launchers/vm/qemu_command.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hvbench {
namespace {

QemuPlan Plan(bool microvm, bool kvm) {
  QemuPlan plan;
  plan.machine = {microvm, kvm};
  plan.shape = {2, 512, {}};
  plan.image.vmlinux = "/images/vmlinux";
  plan.image.initramfs = "/images/initramfs";
  plan.tsc_khz = 2596148;
  return plan;
}

// The word behind a flag; "" if it is not there.
std::string ValueOf(const std::vector<std::string>& words, const std::string& flag) {
  const auto found = std::find(words.begin(), words.end(), flag);
  return found == words.end() || found + 1 == words.end() ? "" : *(found + 1);
}

bool Has(const std::vector<std::string>& words, const std::string& part) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return word.find(part) != std::string::npos; });
}

TEST(QemuOptions, KnowsItsOwnAndPassesOnQemus) {
  const QemuOptions none({});
  EXPECT_FALSE(none.preallocate);
  EXPECT_TRUE(none.use_vsock);
  const QemuOptions some(
      {"memory=preallocated", "-device", "virtio-rng-pci", "transport=virtio-serial", "-enable-x"});
  EXPECT_TRUE(some.preallocate);
  EXPECT_FALSE(some.use_vsock);
  EXPECT_EQ(some.extra_arguments,
            (std::vector<std::string>{"-device", "virtio-rng-pci", "-enable-x"}));
}

TEST(QemuOptions, AMisspeltOneIsAnError) {
  for (const char* word : {"memory=prealocated", "preallocated", "transport=pipe", ""}) {
    EXPECT_THROW(QemuOptions({word}), Error) << word;
  }
}

TEST(QemuArguments, EmulatedAndRealMachinesDiffer) {
  const QemuGuestFiles files("/guest");
  const auto real = QemuArguments(Plan(false, true), files);
  const auto emulated = QemuArguments(Plan(true, false), files);
  EXPECT_EQ(ValueOf(real, "-accel"), "kvm");
  EXPECT_TRUE(ValueOf(real, "-M").starts_with("q35,"));
  EXPECT_TRUE(ValueOf(emulated, "-accel").starts_with("tcg,"));
  EXPECT_TRUE(ValueOf(emulated, "-M").starts_with("microvm,"));
  // KVM has a clock of its own; the emulated TSC is the host's.
  EXPECT_EQ(ValueOf(real, "-append").find("tsc_early_khz"), std::string::npos);
  EXPECT_NE(ValueOf(emulated, "-append").find("tsc_early_khz=2596148 "), std::string::npos);
  for (const auto& words : {real, emulated}) {
    EXPECT_EQ(ValueOf(words, "-smp"), "2");
    EXPECT_EQ(ValueOf(words, "-m"), "512M");
    EXPECT_EQ(ValueOf(words, "-kernel"), "/images/vmlinux");
    EXPECT_TRUE(Has(words, "-no-reboot"));
    EXPECT_TRUE(Has(words, "/guest/qmp.sock"));
  }
}

TEST(QemuArguments, TheBridgeIsVsockOrVirtioSerial) {
  const QemuGuestFiles files("/guest");
  QemuPlan plan = Plan(true, true);
  auto words = QemuArguments(plan, files);
  EXPECT_TRUE(Has(words, "virtserialport"));
  EXPECT_TRUE(ValueOf(words, "-append").ends_with(" --virtio-serial=hvbench"));
  // The agent gives itself what a process elsewhere has from who starts it.
  EXPECT_NE(ValueOf(words, "-append").find(" -- --init --limits=cpu:unlimited:unlimited,"),
            std::string::npos);
  EXPECT_NE(ValueOf(words, "-append").find(" --variable=PATH=/"), std::string::npos);
  constexpr std::size_t kMostOnX86 = 2047;  // COMMAND_LINE_SIZE
  EXPECT_LT(ValueOf(words, "-append").size(), kMostOnX86 / 2);
  plan.vsock_cid = 77;
  words = QemuArguments(plan, files);
  EXPECT_FALSE(Has(words, "virtserialport"));
  EXPECT_TRUE(Has(words, "vhost-vsock-device,guest-cid=77"));
  EXPECT_TRUE(ValueOf(words, "-append").ends_with(" --vsock=1024"));
  EXPECT_EQ(QemuModules(plan, true),
            (std::vector<std::string>{"virtio_mmio", "vmw_vsock_virtio_transport"}));
  plan.machine.microvm = false;
  EXPECT_EQ(QemuModules(plan, false), (std::vector<std::string>{"virtio_pci", "virtio_console"}));
}

TEST(QemuArguments, DisksAreBlockDevicesThatTheAgentIsToldOf) {
  const QemuGuestFiles files("/guest");
  QemuPlan plan = Plan(true, true);
  EXPECT_FALSE(Has(QemuArguments(plan, files), "virtio-blk"));
  LaunchRequest request;
  request.disk_image = "/a,b/disk.img";
  plan.disks = GuestDisksOf(request);
  auto words = QemuArguments(plan, files);
  EXPECT_TRUE(ValueOf(words, "-blockdev").ends_with("file.filename=/a,,b/disk.img"));
  EXPECT_NE(ValueOf(words, "-blockdev").find("cache.direct=on"), std::string::npos);
  EXPECT_TRUE(Has(words, "virtio-blk-device,drive=disk0"));
  EXPECT_NE(ValueOf(words, "-append").find(" --disk=/dev/vda "), std::string::npos);
  EXPECT_EQ(QemuModules(plan, false),
            (std::vector<std::string>{"virtio_mmio", "virtio_console", "virtio_blk"}));

  request.root_image = "/a,b/root.ext4";
  plan.disks = GuestDisksOf(request);
  words = QemuArguments(plan, files);
  EXPECT_TRUE(ValueOf(words, "-blockdev").ends_with("file.filename=/a,,b/root.ext4"));
  EXPECT_TRUE(Has(words, "virtio-blk-device,drive=disk1"));
  EXPECT_NE(ValueOf(words, "-append").find(" --scratch=/dev/vda --disk=/dev/vdb "),
            std::string::npos);
  EXPECT_EQ(QemuModules(plan, false).back(), "ext4");
}

TEST(QemuArguments, ARootWithTheApplicationsIsToBeMounted) {
  QemuPlan plan = Plan(true, true);
  LaunchRequest request;
  request.root_image = "/guest/application.ext4";
  request.application.emplace();
  plan.disks = GuestDisksOf(request);
  const std::string kernel_parameters =
      ValueOf(QemuArguments(plan, QemuGuestFiles("/guest")), "-append");
  EXPECT_NE(kernel_parameters.find(" --application=/dev/vda "), std::string::npos);
  EXPECT_EQ(kernel_parameters.find("--disk="), std::string::npos);
  EXPECT_EQ(QemuModules(plan, false).back(), "ext4");
}

TEST(QemuArguments, MemoryIsPreallocatedWhereTheUserSaysSo) {
  QemuPlan plan = Plan(false, true);
  EXPECT_FALSE(Has(QemuArguments(plan, QemuGuestFiles("/guest")), "prealloc"));
  plan.options = QemuOptions({"memory=preallocated"});
  EXPECT_TRUE(Has(QemuArguments(plan, QemuGuestFiles("/guest")), "size=512M,prealloc=on"));
}

}  // namespace
}  // namespace hvbench
