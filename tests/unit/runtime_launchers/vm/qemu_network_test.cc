// A virtual machine's network device on QEMU's command line.
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime_launchers/vm/qemu_command.h"

namespace hvbench {
namespace {

std::string CommandLine(bool microvm, bool with_network) {
  QemuPlan plan;
  plan.machine.microvm = microvm;
  if (with_network) {
    GuestNetwork& network = plan.network.emplace();
    network.interface = "p7";
    network.mac = "02:68:76:00:00:07";
    network.address = "198.18.0.7";
    network.prefix_bits = 15;
    network.peer = "198.18.0.1:4000";
  }
  std::string text;
  for (const std::string& word : QemuArguments(plan, QemuGuestFiles("/run"))) text += word + "\n";
  return text;
}

TEST(QemuNetwork, IsATapThatTheAgentSetsUp) {
  for (const bool microvm : {false, true}) {
    const std::string text = CommandLine(microvm, true);
    for (const char* part :
         {"tap,id=network", "ifname=p7,", "script=no,downscript=no", "mac=02:68:76:00:00:07",
          "--address=198.18.0.7/15", "--peer=198.18.0.1:4000"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
    }
    EXPECT_NE(text.find(microvm ? "virtio-net-device" : "virtio-net-pci"), std::string::npos);
  }
}

TEST(QemuNetwork, IsLeftOutWithoutAPlaceInOne) {
  const std::string text = CommandLine(true, false);
  EXPECT_EQ(text.find("virtio-net"), std::string::npos) << text;
  EXPECT_EQ(text.find("--peer"), std::string::npos) << text;
}

TEST(QemuNetwork, NeedsADriver) {
  const auto has_driver = [](const std::vector<std::string>& modules) {
    return std::count(modules.begin(), modules.end(), "virtio_net") == 1;
  };
  QemuPlan plan;
  EXPECT_FALSE(has_driver(QemuModules(plan, false)));
  plan.network.emplace();
  EXPECT_TRUE(has_driver(QemuModules(plan, false)));
}

}  // namespace
}  // namespace hvbench
