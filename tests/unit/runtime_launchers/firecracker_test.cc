// Firecracker's launcher with programs that say they are one.
#include <gtest/gtest.h>

#include <fstream>

#include "runtime_launchers/launcher.h"
#include "runtime_launchers/support/error.h"
#include "tests/support/environment_variable.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

std::unique_ptr<Launcher> LauncherOf(const std::string& kind, RuntimeOptions options) {
  for (const RegisteredLauncher& launcher : RegisteredLaunchers()) {
    if (launcher.kind == kind) return launcher.make(std::move(options));
  }
  throw Error("no launcher " + kind);
}

class FirecrackerTest : public ::testing::Test {
 protected:
  // A program that prints this for its version.
  std::filesystem::path Program(const std::string& output) const {
    const std::filesystem::path binary = dir_.path() / "fake-firecracker";
    std::ofstream(binary) << "#!/bin/sh\nprintf '" << output << "'\n";
    std::filesystem::permissions(binary, std::filesystem::perms(0755));
    return binary;
  }

  static ProbeResult Probe(const std::filesystem::path& binary,
                           std::vector<std::string> options = {}) {
    return LauncherOf("firecracker", {"firecracker-x", binary, std::move(options)})
        ->Probe(ProbeDepth::kShallow, {});
  }

  const TemporaryDir dir_;
};

// What is behind the version and the options (root, KVM, a kernel) is another reason.
bool IsAboutTheProgram(const ProbeResult& probe) {
  return probe.reason.find("too old") != std::string::npos ||
         probe.reason.find("is no Firecracker") != std::string::npos ||
         probe.reason.find("option") != std::string::npos ||
         probe.reason.find("PCI") != std::string::npos;
}

TEST_F(FirecrackerTest, ReleasesBeforeTheFirstWithAcpiAreTooOld) {
  for (const char* version : {"1.7.0", "1.7.9-dev", "0.25.2"}) {
    const ProbeResult probe = Probe(Program(std::string("Firecracker v") + version + "\\n"));
    EXPECT_FALSE(probe.usable);
    EXPECT_EQ(probe.version, version);
    EXPECT_NE(probe.reason.find(std::string(version) + " is too old"), std::string::npos)
        << probe.reason;
    EXPECT_NE(probe.fix.find("install-runtimes.sh firecracker"), std::string::npos) << probe.fix;
  }
  for (const char* version : {"1.8.0", "1.10.1", "1.16.1-dev", "2.0.0"}) {
    const ProbeResult probe =
        Probe(Program(std::string("Firecracker v") + version +
                      "\\n\\nSupported snapshot data format versions: v8\\n"));
    EXPECT_EQ(probe.version, version);
    EXPECT_FALSE(IsAboutTheProgram(probe)) << probe.reason;
  }
}

TEST_F(FirecrackerTest, AnotherProgramIsToldByWhatItPrints) {
  for (const char* output : {"", "QEMU emulator version 7.2\\n", "Firecracker\\n", "v1.16.1\\n"}) {
    const ProbeResult probe = Probe(Program(output));
    EXPECT_FALSE(probe.usable);
    EXPECT_NE(probe.reason.find("fake-firecracker is no Firecracker"), std::string::npos)
        << probe.reason;
  }
  EXPECT_NE(Probe(dir_.path() / "none").reason.find("none is not installed"), std::string::npos);
}

TEST_F(FirecrackerTest, TheVariableNamesTheProgramWhereNoFileDoes) {
  const EnvironmentVariable variable("HVBENCH_FIRECRACKER",
                                     Program("Firecracker v1.5.0\\n").string());
  EXPECT_EQ(Probe("").version, "1.5.0");
  EXPECT_NE(Probe("/nonexistent/firecracker").reason.find("/nonexistent/firecracker"),
            std::string::npos);
}

TEST_F(FirecrackerTest, AnOptionThatIsNoneIsNamedWithThoseThatAre) {
  const auto binary = Program("Firecracker v1.16.1\\n");
  for (const char* option :
       {"jailr", "pci=off", "io_engine=async", "io_engine", "-x", "", "jailers=/bin/sh"}) {
    const ProbeResult probe = Probe(binary, {"--no-seccomp", option});
    EXPECT_FALSE(probe.usable);
    EXPECT_NE(probe.reason.find("unknown option '" + std::string(option) + "'"), std::string::npos)
        << probe.reason;
    EXPECT_NE(probe.reason.find("io_engine=Sync|Async"), std::string::npos) << probe.reason;
  }
  EXPECT_FALSE(IsAboutTheProgram(Probe(binary, {"--no-seccomp", "pci", "io_engine=Async"})));
}

TEST_F(FirecrackerTest, PciNeedsARelease) {
  EXPECT_NE(Probe(Program("Firecracker v1.12.9\\n"), {"pci"}).reason.find("no PCI bus"),
            std::string::npos);
  EXPECT_FALSE(IsAboutTheProgram(Probe(Program("Firecracker v1.13.0\\n"), {"pci"})));
}

TEST_F(FirecrackerTest, TheJailerIsBesideTheVmmOrWhereItIsNamed) {
  const auto binary = Program("Firecracker v1.16.1\\n");
  const std::string beside = (dir_.path() / "jailer").string();
  EXPECT_EQ(Probe(binary, {"jailer"}).reason, "there is no jailer " + beside);
  EXPECT_EQ(Probe(binary, {"jailer=/nonexistent/j"}).reason, "there is no jailer /nonexistent/j");
  EXPECT_EQ(Probe(binary, {"jailer=/bin/sh"}).reason.find("jailer"), std::string::npos);
  std::filesystem::copy_file(binary, beside);
  EXPECT_EQ(Probe(binary, {"jailer"}).reason.find("jailer"), std::string::npos);
}

// A copy of a machine has the devices and the address of the machine that it is a copy of.
TEST_F(FirecrackerTest, ARestoredMachineHasNoDeviceOfItsOwn) {
  const auto boot = LauncherOf("firecracker", {"firecracker", "", {}});
  const auto restore = LauncherOf("firecracker-snapshot", {"firecracker-snapshot", "", {}});
  EXPECT_EQ(boot->network_device(), NetworkDevice::kTap);
  EXPECT_EQ(restore->network_device(), NetworkDevice::kNone);
  EXPECT_TRUE(boot->has_root_image());
  EXPECT_FALSE(restore->has_root_image());
}

}  // namespace
}  // namespace hvbench
