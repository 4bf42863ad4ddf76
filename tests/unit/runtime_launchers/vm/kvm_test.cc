#include "runtime_launchers/vm/kvm.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hvbench {
namespace {

TEST(CheckKvmDevice, ADeviceThatIsMissingOrAnotherOneIsNoKvm) {
  const auto missing = CheckKvmDevice("/nonexistent/kvm");
  ASSERT_TRUE(missing);
  EXPECT_NE(missing->reason.find("/nonexistent/kvm cannot be opened"), std::string::npos);
  const auto other = CheckKvmDevice("/dev/null");
  ASSERT_TRUE(other);
  EXPECT_NE(other->reason.find("tiny guest"), std::string::npos) << other->reason;
}

TEST(CheckKvmDevice, WithoutPermissionItSaysSo) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    // A device that nobody but root may open, on every machine.
    if (setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0) {
      _exit(2);
    }
    const auto failure = CheckKvmDevice("/dev/kmsg");
    _exit(failure && failure->reason.find("Permission denied") != std::string::npos &&
                  failure->fix.find("kvm") != std::string::npos
              ? 0
              : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(CheckKvm, IsTheSameEachTime) {
  const auto first = CheckKvm();
  const auto second = CheckKvm();
  EXPECT_EQ(first.has_value(), second.has_value());
  EXPECT_TRUE(!first || !first->reason.empty());
}

}  // namespace
}  // namespace hvbench
