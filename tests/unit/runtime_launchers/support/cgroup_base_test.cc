#include "runtime_launchers/support/cgroup_base.h"

#include <gtest/gtest.h>

#include <set>

namespace hvbench {
namespace {

struct Tree {
  std::set<std::string> delegated;  // to this user
  std::set<std::string> owned;
  bool is_root = false;

  std::string BaseFor(const std::string& own) const {
    return FindCgroupBase(own,
                          {[this](const std::string& g) { return delegated.contains(g); },
                           [this](const std::string& g) { return owned.contains(g); }, is_root});
  }
};

constexpr char kSession[] = "/user.slice/user-1000.slice/session-3.scope";
constexpr char kUserManager[] = "/user.slice/user-1000.slice/user@1000.service";
constexpr char kRunService[] =
    "/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.service";

TEST(CgroupBase, RootOutsideOfADelegatedSubtreeHasTheWholeTree) {
  const Tree tree{{}, {"/", kSession, "/user.slice", "/system.slice"}, true};
  EXPECT_EQ(tree.BaseFor("/"), "");
  EXPECT_EQ(tree.BaseFor(kSession), "");
  EXPECT_EQ(tree.BaseFor("/system.slice/ssh.service"), "");
}

TEST(CgroupBase, TheNearestDelegatedGroupIsIt) {
  const Tree root{{"/system.slice/run-u7.service"}, {}, true};
  EXPECT_EQ(root.BaseFor("/system.slice/run-u7.service"), "/system.slice/run-u7.service");
  EXPECT_EQ(root.BaseFor("/system.slice/run-u7.service/leaf"), "/system.slice/run-u7.service");
  const Tree user{{kUserManager, kRunService}, {}, false};
  EXPECT_EQ(user.BaseFor(kRunService), kRunService);
}

// It is somebody else's who called sudo from there.
TEST(CgroupBase, WhatIsDelegatedToAnotherUserIsNot) {
  const Tree tree{{}, {"/"}, true};
  EXPECT_EQ(tree.BaseFor(kRunService), "");
}

TEST(CgroupBase, AnOrdinaryUserHasTheHighestGroupOfTheirs) {
  const Tree tree{{}, {kUserManager, std::string(kUserManager) + "/app.slice", kRunService}, false};
  EXPECT_EQ(tree.BaseFor(kRunService), kUserManager);
  EXPECT_EQ(tree.BaseFor(kSession), "") << "nothing above it is theirs";
}

TEST(CgroupBase, ARuntimeIsToldTheWholeName) {
  EXPECT_EQ(CgroupsPathOf("/hvbench-1/guest"), CgroupBase() + "/hvbench-1/guest");
}

}  // namespace
}  // namespace hvbench
