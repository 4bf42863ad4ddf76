#include "runtime_launchers/support/cgroup_mounts.h"

#include <gtest/gtest.h>

#include <sstream>

namespace hvbench {
namespace {

std::vector<CgroupMount> Parse(const std::string& text) {
  std::istringstream stream(text);
  return ParseCgroupMounts(stream);
}

constexpr char kHybrid[] =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "30 22 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
    "32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 30 0:30 / /sys/fs/cgroup/memory rw shared:12 - cgroup cgroup rw,memory\n";

TEST(CgroupMounts, ReadsAllHierarchiesOfAHybridMachine) {
  const std::vector<CgroupMount> mounts = Parse(kHybrid);
  ASSERT_EQ(mounts.size(), 4u);
  EXPECT_TRUE(mounts[0].is_v2);
  EXPECT_EQ(mounts[0].controllers, std::vector<std::string>{""});
  EXPECT_EQ(mounts[1].controllers, std::vector<std::string>{"name=systemd"});
  EXPECT_EQ(mounts[2].controllers, (std::vector<std::string>{"cpu", "cpuacct"}));
  EXPECT_EQ(mounts[2].mount_point, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_TRUE(mounts[2].Has("cpuacct"));
  EXPECT_FALSE(mounts[2].Has("memory"));
  EXPECT_FALSE(mounts[3].is_v2);
}

TEST(CgroupMounts, TakesAHierarchyOnce) {
  const std::string line = "34 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  const std::string again = "50 30 0:30 / /mnt/elsewhere rw - cgroup cgroup rw,memory\n";
  const std::vector<CgroupMount> mounts = Parse(line + again);
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].mount_point, "/sys/fs/cgroup/memory");
}

TEST(CgroupMounts, TakesThePlaceThatCanBeWrittenTo) {
  // As systemd-nspawn mounts it: all of it read-only, and the machine's own part once more.
  const std::string shown = "34 30 0:30 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
  const std::string own = "35 34 0:30 /m /sys/fs/cgroup/memory/m rw - cgroup cgroup rw,memory\n";
  const std::vector<CgroupMount> mounts = Parse(shown + own);
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].mount_point, "/sys/fs/cgroup/memory/m");
  EXPECT_FALSE(mounts[0].read_only);
  EXPECT_TRUE(Parse(shown)[0].read_only);
}

TEST(CgroupMounts, LeavesOutWhatIsMountedOver) {
  std::istringstream text(
      "34 30 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
      "50 30 0:44 / /mnt/cgroup rw - cgroup2 cgroup2 rw\n");
  const std::vector<CgroupMount> mounts =
      ParseCgroupMounts(text, [](const auto& mount_point, const std::string& device) {
        return mount_point == "/mnt/cgroup" && device == "0:44";
      });
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].mount_point, "/mnt/cgroup");
}

TEST(CgroupMounts, IgnoresWhatItDoesNotUnderstand) {
  EXPECT_TRUE(Parse("").empty());
  EXPECT_TRUE(Parse("garbage\n1 2 3\n - \n").empty());
}

TEST(CgroupMounts, PathsAreRelativeToWhatAContainerSees) {
  CgroupMount mount;
  mount.root = "/";
  EXPECT_EQ(mount.BelowMountPoint("/a/b"), "a/b");
  EXPECT_EQ(mount.BelowMountPoint("/"), "");
  mount.root = "/docker/1";
  EXPECT_EQ(mount.BelowMountPoint("/docker/1/a"), "a");
  EXPECT_EQ(mount.BelowMountPoint("/docker/1"), "");
  EXPECT_EQ(mount.BelowMountPoint("/docker/2/a"), "");
  EXPECT_EQ(mount.BelowMountPoint("/../x"), "");
}

// What other machines have, in the shape of their /proc/self/mountinfo.
struct Machine {
  const char* name;
  const char* mountinfo;
  CgroupVersion version;
  bool needs_v2;
  const char* memory;  // where memory is limited
};

class MachinesOfOthers : public ::testing::TestWithParam<Machine> {};

TEST_P(MachinesOfOthers, AreToldApartByTheirControllers) {
  const std::vector<CgroupMount> mounts = Parse(GetParam().mountinfo);
  EXPECT_EQ(VersionOf(mounts), GetParam().version);
  EXPECT_EQ(NeedsV2(mounts), GetParam().needs_v2);
  std::string memory;
  for (const CgroupMount& mount : mounts) {
    if (mount.Has("memory") || (mount.is_v2 && memory.empty())) memory = mount.mount_point;
    for (const std::string& controller : mount.controllers) {
      EXPECT_FALSE(controller == "seclabel" || controller.starts_with("release_agent") ||
                   controller == "rw" || controller == "xattr")
          << controller;
    }
  }
  EXPECT_EQ(memory, GetParam().memory);
}

constexpr Machine kMachines[] = {
    {"Fedora",
     "30 24 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 "
     "rw,seclabel,nsdelegate,memory_recursiveprot\n",
     CgroupVersion::kV2, true, "/sys/fs/cgroup"},
    {"Rhel8",
     "25 17 0:23 / /sys/fs/cgroup ro,nosuid shared:4 - tmpfs tmpfs ro,seclabel,mode=755\n"
     "26 25 0:24 / /sys/fs/cgroup/systemd rw,nosuid shared:5 - cgroup cgroup "
     "rw,seclabel,xattr,release_agent=/usr/lib/systemd/systemd-cgroups-agent,name=systemd\n"
     "29 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:6 - cgroup cgroup "
     "rw,seclabel,cpu,cpuacct\n"
     "30 25 0:28 / /sys/fs/cgroup/memory rw shared:7 - cgroup cgroup rw,seclabel,memory\n"
     "31 25 0:29 / /sys/fs/cgroup/freezer rw shared:8 - cgroup cgroup rw,seclabel,freezer\n"
     "32 25 0:30 / /sys/fs/cgroup/pids rw shared:9 - cgroup cgroup rw,seclabel,pids\n"
     "33 25 0:31 / /sys/fs/cgroup/cpuset rw shared:10 - cgroup cgroup rw,seclabel,cpuset\n",
     CgroupVersion::kV1, false, "/sys/fs/cgroup/memory"},
    {"Ubuntu20Hybrid",
     "31 23 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
     "32 31 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate\n"
     "33 31 0:28 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd\n"
     "36 31 0:31 / /sys/fs/cgroup/memory rw shared:15 - cgroup cgroup rw,memory\n"
     "37 31 0:32 / /sys/fs/cgroup/pids rw shared:16 - cgroup cgroup rw,pids\n"
     "38 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw shared:17 - cgroup cgroup rw,cpu,cpuacct\n"
     "39 31 0:34 / /sys/fs/cgroup/freezer rw shared:18 - cgroup cgroup rw,freezer\n"
     "40 31 0:35 / /sys/fs/cgroup/cpuset rw shared:19 - cgroup cgroup rw,cpuset\n",
     CgroupVersion::kHybrid, false, "/sys/fs/cgroup/memory"},
    {"HybridWithMemoryInVersion2",
     "32 31 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate\n"
     "38 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw shared:17 - cgroup cgroup rw,cpu,cpuacct\n"
     "40 31 0:35 / /sys/fs/cgroup/cpuset rw shared:19 - cgroup cgroup rw,cpuset\n",
     CgroupVersion::kHybrid, true, "/sys/fs/cgroup/unified"},
    {"Debian12",
     "27 20 0:25 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 "
     "rw,nsdelegate,memory_recursiveprot\n",
     CgroupVersion::kV2, true, "/sys/fs/cgroup"},
    {"Version2BesideASingleHierarchyOfAVpn",
     "27 20 0:25 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
     "90 20 0:52 / /opt/vpn/net_cls rw shared:99 - cgroup net_cls rw,net_cls\n",
     CgroupVersion::kV2, true, "/sys/fs/cgroup"},
    {"AlpineOpenRcHybrid",
     "26 18 0:23 / /sys/fs/cgroup rw,nosuid - tmpfs cgroup_root rw,size=10240k,mode=755\n"
     "27 26 0:24 / /sys/fs/cgroup/openrc rw - cgroup openrc "
     "rw,release_agent=/lib/rc/sh/cgroup-release-agent.sh,name=openrc\n"
     "28 26 0:25 / /sys/fs/cgroup/unified rw - cgroup2 none rw,nsdelegate\n"
     "29 26 0:26 / /sys/fs/cgroup/cpuset rw - cgroup cpuset rw,cpuset\n"
     "31 26 0:28 / /sys/fs/cgroup/cpuacct rw - cgroup cpuacct rw,cpuacct\n"
     "33 26 0:30 / /sys/fs/cgroup/memory rw - cgroup memory rw,memory\n"
     "35 26 0:32 / /sys/fs/cgroup/freezer rw - cgroup freezer rw,freezer\n"
     "41 26 0:38 / /sys/fs/cgroup/pids rw - cgroup pids rw,pids\n",
     CgroupVersion::kHybrid, false, "/sys/fs/cgroup/memory"},
    {"InsideDockerOnVersion2",
     "700 690 0:25 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup "
     "rw,nsdelegate\n",
     CgroupVersion::kV2, true, "/sys/fs/cgroup"},
    {"InsideDockerOnVersion1",
     "611 610 0:28 /docker/4f1 /sys/fs/cgroup/systemd ro - cgroup cgroup rw,xattr,name=systemd\n"
     "612 610 0:31 /docker/4f1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
     "613 610 0:32 /docker/4f1 /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n"
     "614 610 0:33 /docker/4f1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
     "615 610 0:34 /docker/4f1 /sys/fs/cgroup/freezer ro - cgroup cgroup rw,freezer\n"
     "616 610 0:35 /docker/4f1 /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n",
     CgroupVersion::kV1, false, "/sys/fs/cgroup/memory"},
    {"Wsl2",
     "75 72 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
     "80 74 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
     CgroupVersion::kV2, true, "/sys/fs/cgroup"},
    {"None", "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n", CgroupVersion::kNone, false, ""},
};

INSTANTIATE_TEST_SUITE_P(CgroupMounts, MachinesOfOthers, ::testing::ValuesIn(kMachines),
                         [](const auto& machine) { return machine.param.name; });

TEST(SplitAtCommas, LeavesOutEmptyParts) {
  EXPECT_EQ(SplitAtCommas("a,,b,"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(SplitAtCommas("").empty());
}

}  // namespace
}  // namespace hvbench
