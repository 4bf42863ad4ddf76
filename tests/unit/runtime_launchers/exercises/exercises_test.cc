// What a new runtime costs: these are written as files of runtime_launchers/ would be, and
// tests/tidy/rules.py says how long each may be.
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime_launchers/launcher.h"
#include "tests/support/environment_variable.h"

namespace hvbench {

std::unique_ptr<Launcher> MakeYouki(RuntimeOptions options);
std::unique_ptr<Launcher> MakeKrun(RuntimeOptions options);
std::unique_ptr<Launcher> MakeCloudHypervisor(RuntimeOptions options);

namespace {

TEST(Exercises, WhatIsNotInstalledIsUnusableWithItsFix) {
  const EnvironmentVariable path("PATH", "/nonexistent");
  const std::pair<const char*, decltype(&MakeYouki)> runtimes[] = {
      {"youki", MakeYouki}, {"krun", MakeKrun}, {"cloud-hypervisor", MakeCloudHypervisor}};
  for (const auto& [name, make] : runtimes) {
    RuntimeOptions options;
    options.name = name;
    const auto launcher = make(options);
    EXPECT_EQ(launcher->name(), name);
    const ProbeResult probe = launcher->Probe(ProbeDepth::kShallow, {});
    EXPECT_FALSE(probe.usable) << name;
    EXPECT_EQ(probe.reason, std::string(name) + " is not installed");
    EXPECT_NE(probe.fix, "") << name;
  }
}

// A program that stands for them: the way to it is the same as of the real one.
TEST(Exercises, AVersionIsReadAndKvmAsked) {
  RuntimeOptions options;
  options.name = "krun";
  options.binary = "/bin/echo";
  const ProbeResult probe = MakeKrun(options)->Probe(ProbeDepth::kShallow, {});
  EXPECT_NE(probe.version, "");
  if (geteuid() != 0) {
    EXPECT_EQ(probe.reason, "it needs root");
  }
}

}  // namespace
}  // namespace hvbench
