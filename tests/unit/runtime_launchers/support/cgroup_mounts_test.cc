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

TEST(SplitAtCommas, LeavesOutEmptyParts) {
  EXPECT_EQ(SplitAtCommas("a,,b,"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(SplitAtCommas("").empty());
}

}  // namespace
}  // namespace hvbench
