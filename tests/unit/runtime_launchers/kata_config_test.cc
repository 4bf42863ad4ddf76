#include "runtime_launchers/kata_config.h"

#include <gtest/gtest.h>

#include <fstream>

#include "runtime_launchers/support/error.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

class KataConfigTest : public ::testing::Test {
 protected:
  std::filesystem::path Written(const std::string& text) const {
    std::ofstream(file_) << text;
    return file_;
  }
  std::string RefusalOf(const std::filesystem::path& file) const {
    try {
      ReadKataConfig(file, "qemu");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const TemporaryDir dir_;
  const std::filesystem::path file_ = dir_.path() / "configuration.toml";
};

TEST_F(KataConfigTest, TheValuesOfTheVmmsTableAreRead) {
  const auto config = ReadKataConfig(Written(R"(# as the releases have it
[hypervisor.qemu]
path = "/opt/kata/bin/qemu" # the VMM
kernel = '/opt/kata/vmlinux.container'
virtio_fs_daemon = "/opt/a \"b\" = [c]"
enable_annotations = ["enable_iommu",
  "path = no"]
default_vcpus = 1
#image = "/commented/out"
initrd = ""

[agent.kata]
path = "of another table"
)"),
                                     "qemu");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->file, file_);
  EXPECT_EQ(config->table, "hypervisor.qemu");
  EXPECT_EQ(config->Get("path"), "/opt/kata/bin/qemu");
  EXPECT_EQ(config->Get("kernel"), "/opt/kata/vmlinux.container");
  EXPECT_EQ(config->Get("virtio_fs_daemon"), R"(/opt/a "b" = [c])");
  EXPECT_EQ(config->Get("image"), "");
  EXPECT_EQ(config->Get("initrd"), "");
  EXPECT_EQ(config->Get("default_vcpus"), "") << "a number is no text";
}

TEST_F(KataConfigTest, OtherSpellingsOfATableAreTheSameTable) {
  for (const char* text :
       {"[ hypervisor . qemu ]\npath = \"/q\"\n", "hypervisor.qemu.path = '/q'",
        "[hypervisor]\nqemu = {path = \"/q\"}\n", "[hypervisor.qemu]\r\npath=\"/q\"\r\n"}) {
    const auto config = ReadKataConfig(Written(text), "qemu");
    ASSERT_TRUE(config) << text;
    EXPECT_EQ(config->table, "hypervisor.qemu");
    EXPECT_EQ(config->Get("path"), "/q") << text;
  }
}

// Not of their names.
TEST_F(KataConfigTest, TheFirstTableOfTheFileThatFitsCounts) {
  const std::string other = "[hypervisor.qemu]\npath = '/q'\n";
  const std::string one = "[hypervisor.cloud-hypervisor]\npath = '/one'\n";
  const std::string two = "[hypervisor.clh]\npath = '/two'\n";
  auto config = ReadKataConfig(Written(other + one + two), "cl");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->table, "hypervisor.cloud-hypervisor");
  EXPECT_EQ(config->Get("path"), "/one");
  config = ReadKataConfig(Written(two + one + other), "cl");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->table, "hypervisor.clh");
  EXPECT_EQ(config->Get("path"), "/two");
}

TEST_F(KataConfigTest, AFileForAnotherVmmOrNoneIsPassedOver) {
  for (const char* text : {"", "[runtime]\nqemu = 1\n", "[hypervisor.clh]\npath = '/c'\n",
                           "hypervisor = 'qemu'\n", "[hypervisor]\nqemu = '/q'\n"}) {
    EXPECT_FALSE(ReadKataConfig(Written(text), "qemu")) << text;
  }
  EXPECT_FALSE(ReadKataConfig(dir_.path() / "none.toml", "qemu"));
  EXPECT_FALSE(ReadKataConfig(dir_.path() / "none" / "none.toml", "qemu"));
}

TEST_F(KataConfigTest, WhatIsNoTomlIsToldWithItsPlace) {
  for (const char* text :
       {"[hypervisor.qemu]\npath = \"/unfinished\n", "[hypervisor.qemu]\npath = /unquoted\n",
        "[hypervisor.qemu]\npath\n[hypervisor.clh]\n"}) {
    const std::string refusal = RefusalOf(Written(text));
    EXPECT_NE(refusal.find(file_.string()), std::string::npos) << refusal;
    EXPECT_NE(refusal.find("line 2"), std::string::npos) << refusal;
  }
  EXPECT_NE(RefusalOf(Written("[hypervisor.qemu]\npath = '/a'\npath = '/b'\n")).find("line 3"),
            std::string::npos);
}

TEST_F(KataConfigTest, WhatCannotBeReadIsTold) {
  const std::string refusal = RefusalOf(dir_.path());
  EXPECT_NE(refusal.find(dir_.path().string()), std::string::npos) << refusal;
}

}  // namespace
}  // namespace hvbench
