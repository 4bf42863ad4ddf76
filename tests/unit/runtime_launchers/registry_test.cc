#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "runtime_launchers/launcher.h"

namespace hvbench {
namespace {

TEST(Registry, KindsAreUniqueAndFitTheNames) {
  std::set<std::string> kinds;
  for (const RegisteredLauncher& launcher : RegisteredLaunchers()) {
    EXPECT_TRUE(kinds.insert(launcher.kind).second) << launcher.kind;
    EXPECT_EQ(launcher.kind.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-"),
              std::string::npos)
        << launcher.kind;
  }
  EXPECT_TRUE(kinds.contains("native"));
}

TEST(Registry, LaunchersHaveTheNameThatTheUserGaveThem) {
  for (const RegisteredLauncher& launcher : RegisteredLaunchers()) {
    EXPECT_EQ(launcher.make({"my-" + launcher.kind, {}, {}})->name(), "my-" + launcher.kind);
  }
}

TEST(Registry, OthersComeLast) {
  RegisterLauncher({"mine", RegisteredLaunchers().front().make});
  EXPECT_EQ(RegisteredLaunchers().back().kind, "mine");
}

}  // namespace
}  // namespace hvbench
