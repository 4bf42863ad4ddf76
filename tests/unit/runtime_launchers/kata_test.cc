// Kata's launcher with shims and configurations that are made up.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "runtime_launchers/launcher.h"
#include "runtime_launchers/support/error.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

class KataTest : public ::testing::Test {
 protected:
  std::filesystem::path Shim(const std::string& script) const {
    const std::filesystem::path shim = dir_.path() / "fake-shim";
    std::ofstream(shim) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(shim, std::filesystem::perms(0755));
    return shim;
  }

  // Of a shim that is one.
  ProbeResult ProbeWith(const std::string& configuration) const {
    std::ofstream(config_) << configuration;
    const auto shim = Shim("echo 'Kata Containers containerd shim (Rust): id: x, version: 4.2.0,'");
    return Probe({"kata-x", shim, {"config=" + config_.string()}});
  }

  static ProbeResult Probe(RuntimeOptions options) {
    for (const RegisteredLauncher& launcher : RegisteredLaunchers()) {
      if (launcher.kind == "kata") {
        return launcher.make(std::move(options))->Probe(ProbeDepth::kShallow, {});
      }
    }
    throw Error("no launcher kata");
  }

  const TemporaryDir dir_;
  const std::filesystem::path config_ = dir_.path() / "configuration.toml";
};

TEST_F(KataTest, AnOptionThatIsNoneIsAnError) {
  for (const char* option : {"", "config", "conf=/etc/kata.toml", "--config=/etc/kata.toml"}) {
    EXPECT_THROW(Probe({"kata-x", "", {option}}), Error) << option;
  }
}

TEST_F(KataTest, AShimThatIsMissingOrFailsIsAReasonWithItsFix) {
  const ProbeResult missing = Probe({"kata-x", dir_.path() / "none", {}});
  EXPECT_NE(missing.reason.find("none is not installed"), std::string::npos) << missing.reason;
  EXPECT_NE(missing.fix.find("install-runtimes.sh kata"), std::string::npos) << missing.fix;
  const ProbeResult failing = Probe({"kata-x", Shim("echo no such library; exit 127"), {}});
  EXPECT_NE(failing.reason.find("no such library"), std::string::npos) << failing.reason;
}

TEST_F(KataTest, WhatItsConfigurationLacksIsNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "others learn before that it needs root";
  const std::string file = config_.string();
  const std::pair<const char*, std::string> expected[] = {
      {"[hypervisor.clh]\npath = '/bin/sh'\n",
       "no configuration of Kata for QEMU, such as " + file},
      {"[hypervisor.qemu]\npath = /bin/sh\n", file + " is no TOML: line 2"},
      {"[hypervisor.qemu]\n", "the VMM that " + file + " names is missing: (none)"},
      {"[hypervisor.qemu]\npath = '/nonexistent/qemu'\n", "is missing: /nonexistent/qemu"},
      {"[hypervisor.qemu]\npath = '/bin/sh'\nkernel = '/nonexistent/linux'\n",
       "the guest kernel image that " + file + " names is missing: /nonexistent/linux"},
      {"[hypervisor.qemu]\npath = '/bin/sh'\nkernel = '/bin/sh'\ninitrd = '/nonexistent/initrd'\n",
       "the guest image that " + file + " names is missing: /nonexistent/initrd"},
      {"[hypervisor.qemu]\npath = '/bin/sh'\nkernel = '/bin/sh'\nimage = '/bin/sh'\n"
       "shared_fs = 'virtio-fs'\nvirtio_fs_daemon = '/nonexistent/fsd'\n",
       "the virtiofsd that " + file + " names is missing: /nonexistent/fsd"}};
  for (const auto& [configuration, reason] : expected) {
    const ProbeResult probe = ProbeWith(configuration);
    EXPECT_FALSE(probe.usable);
    EXPECT_NE(probe.reason.find(reason), std::string::npos) << configuration << probe.reason;
  }
}

}  // namespace
}  // namespace hvbench
