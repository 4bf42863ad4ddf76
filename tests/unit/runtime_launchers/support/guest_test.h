// For the tests of one guest whose runtime is made up: its folder, its agent and its control
// groups.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "runtime_launchers/launcher.h"
#include "runtime_launchers/support/cgroup.h"
#include "runtime_launchers/support/error.h"
#include "tests/support/soon.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {

class GuestTest : public ::testing::Test {
 protected:
  // Skips the test where control groups cannot be made.
  void SetUp() override {
    try {
      Cgroup::MakeNew(run_cgroup_, {});
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
    std::filesystem::create_directory(request_.guest_dir);
    std::ofstream(request_.agent) << "program";
  }
  void TearDown() override { Cgroup(run_cgroup_).KillAndRemove(Soon()); }

  const TemporaryDir dir_;
  // Of this process alone, since tests run beside each other.
  const std::string run_cgroup_ = "/hvbench-unit-guest-" + std::to_string(getpid());
  LaunchRequest request_ = [this] {
    LaunchRequest request;
    request.guest_id = "hvbench-unit-" + std::to_string(getpid());
    request.guest_dir = dir_.path() / "guest";
    request.agent = dir_.path() / "agent";
    request.cgroup = run_cgroup_ + "/guest";
    request.shape.memory_mib = 64;
    request.deadline = Soon();
    return request;
  }();
};

}  // namespace hvbench
