#include "runtime_launchers/support/trusted_path.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/spawn_child.h"
#include "tests/unit/runtime_launchers/support/temporary_dir.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kOther = 65534;  // "nobody", and its group

class TrustedPathTest : public ::testing::Test {
 protected:
  fs::path Folder(const std::string& name, mode_t mode = 0755) const {
    const fs::path path = dir_.path() / name;
    fs::create_directories(path);
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  static fs::path File(const fs::path& path, mode_t mode = 0644) {
    std::ofstream(path) << "content";
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  // What a path is refused with; "" if it is not.
  static std::string Refusal(const fs::path& path) {
    try {
      RequireTrusted(path, TrustedOwners::kOwn);
      return "";
    } catch (const UntrustedPath& e) {
      return e.what();
    }
  }
  static UniqueFd Open(const fs::path& dir) {
    return UniqueFd(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  static std::string ContentOf(const fs::path& file) {
    std::string text;
    std::ifstream(file) >> text;
    return text;
  }

  TemporaryDir dir_;
};

// Tests that give files to another user.
class OthersPathTest : public TrustedPathTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  static void Give(const fs::path& path) { ASSERT_EQ(lchown(path.c_str(), kOther, kOther), 0); }
};

TEST_F(TrustedPathTest, WhatIsOursPasses) {
  EXPECT_EQ(Refusal("/usr/bin/env"), "");
  EXPECT_EQ(Refusal(File(Folder("a") / "file")), "");
  EXPECT_EQ(Refusal(dir_.path() / "missing" / "too"), "");
  EXPECT_EQ(Refusal(Folder("a") / "." / ".." / "a" / ""), "");
}

TEST_F(TrustedPathTest, WhatEverybodyMayWriteToIsRefusedWithTheFix) {
  const fs::path open_folder = Folder("open", 0777);
  EXPECT_NE(Refusal(open_folder / "file").find("chmod go-w '" + open_folder.string() + "'"),
            std::string::npos);
  EXPECT_NE(Refusal(File(Folder("a") / "file", 0666)).find("chmod go-w"), std::string::npos);
}

TEST_F(TrustedPathTest, AStickyFolderIsOnTheWayToOursAndNothingElse) {
  const fs::path sticky = Folder("sticky", 01777);
  fs::create_directory(sticky / "ours");
  EXPECT_EQ(Refusal(sticky / "ours" / "file"), "");
  EXPECT_NE(Refusal(sticky).find("or choose a folder in it"), std::string::npos);
  EXPECT_NE(Refusal(sticky / "."), "");
}

TEST_F(TrustedPathTest, ALinkIsFollowedAndWhatItLeadsToHeldToTheRule) {
  Folder("open", 0777);
  fs::create_directory(dir_.path() / "open" / "inner");
  fs::create_symlink("open/inner", dir_.path() / "relative");
  fs::create_symlink(dir_.path() / "open" / "inner", dir_.path() / "absolute");
  fs::create_symlink("loop", dir_.path() / "loop");
  EXPECT_NE(Refusal(dir_.path() / "relative" / "x"), "");
  EXPECT_NE(Refusal(dir_.path() / "absolute" / "x"), "");
  fs::create_symlink("/usr", dir_.path() / "usr");
  EXPECT_EQ(Refusal(dir_.path() / "usr" / "bin" / "env"), "");
  EXPECT_THROW(RequireTrusted(dir_.path() / "loop", TrustedOwners::kOwn), SystemError);
}

TEST_F(OthersPathTest, WhatBelongsToAnotherIsRefusedWhereverItStands) {
  const fs::path top = Folder("top");
  fs::create_directories(top / "middle" / "end");
  File(top / "middle" / "end" / "file");
  for (const fs::path& theirs : {top, top / "middle", top / "middle" / "end" / "file"}) {
    SCOPED_TRACE(theirs);
    Give(theirs);
    const std::string refusal = Refusal(top / "middle" / "end" / "file");
    EXPECT_NE(refusal.find(theirs.string() + " belongs to user 65534"), std::string::npos)
        << refusal;
    EXPECT_NE(refusal.find("chown -h root '" + theirs.string() + "'"), std::string::npos);
    ASSERT_EQ(lchown(theirs.c_str(), 0, 0), 0);
  }
  EXPECT_EQ(Refusal(top / "middle" / "end" / "file"), "");
}

TEST_F(OthersPathTest, ALinkOfAnothersIsRefusedWhereverItLeads) {
  const fs::path sticky = Folder("sticky", 01777);
  fs::create_symlink("/usr/bin", sticky / "link");
  EXPECT_EQ(Refusal(sticky / "link" / "env"), "");
  Give(sticky / "link");
  EXPECT_NE(Refusal(sticky / "link" / "env"), "");
}

TEST_F(OthersPathTest, AGroupWithOtherMembersIsRefusedAndOneWithoutIsNot) {
  const fs::path folder = Folder("folder", 0775);
  EXPECT_EQ(Refusal(folder), "") << "root's group has no other member";
  ASSERT_EQ(chown(folder.c_str(), 0, kOther), 0);
  EXPECT_NE(Refusal(folder).find("chmod g-w"), std::string::npos);
  constexpr gid_t kUnknown = 4'000'000'000;
  ASSERT_EQ(chown(folder.c_str(), 0, kUnknown), 0);
  EXPECT_NE(Refusal(folder), "") << "nobody knows who is in it";
}

TEST_F(TrustedPathTest, WhatIsMissingIsMadeForUsAlone) {
  const UniqueFd made = MakeTrustedDirectory(dir_.path() / "a" / "b");
  struct stat status = {};
  ASSERT_EQ(fstat(made.get(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  EXPECT_TRUE(fs::is_directory(dir_.path() / "a" / "b"));
  File(dir_.path() / "file");
  EXPECT_THROW(MakeTrustedDirectory(dir_.path() / "file"), SystemError);
  EXPECT_THROW(MakeTrustedDirectory(Folder("open", 0777) / "in it"), UntrustedPath);
  EXPECT_FALSE(fs::exists(dir_.path() / "open" / "in it"));
}

TEST_F(TrustedPathTest, NothingInADirectoryIsReachedThroughALink) {
  const UniqueFd dir = Open(Folder("dir"));
  const fs::path elsewhere = Folder("elsewhere");
  fs::create_symlink(elsewhere / "made", dir_.path() / "dir" / "lock");
  EXPECT_FALSE(OpenFileAt(dir.get(), "lock", O_RDWR | O_CREAT));
  EXPECT_FALSE(fs::exists(elsewhere / "made"));
  fs::create_directory_symlink(elsewhere, dir_.path() / "dir" / "runs");
  EXPECT_THROW(MakeDirectoryAt(dir.get(), "runs"), SystemError);
  EXPECT_THROW(OpenDirectoryAt(dir.get(), "runs"), SystemError);
  fs::create_symlink(elsewhere / "written", dir_.path() / "dir" / "image");
  WriteFileAt(dir.get(), "image", "whole");
  EXPECT_FALSE(fs::exists(elsewhere / "written"));
  EXPECT_EQ(ReadFileAt(dir.get(), "image"), "whole");
}

TEST_F(TrustedPathTest, AFifoHoldsNobodyUp) {
  const UniqueFd dir = Open(Folder("dir"));
  ASSERT_EQ(mkfifo((dir_.path() / "dir" / "record.json").c_str(), 0600), 0);
  EXPECT_THROW(ReadFileAt(dir.get(), "record.json"), UntrustedPath);
}

TEST_F(OthersPathTest, WhatAnotherLeftInADirectoryIsNotUsed) {
  const UniqueFd dir = Open(Folder("dir"));
  Give(File(dir_.path() / "dir" / "record.json"));
  EXPECT_THROW(ReadFileAt(dir.get(), "record.json"), UntrustedPath);
  Give(Folder("dir/runs"));
  EXPECT_THROW(MakeDirectoryAt(dir.get(), "runs"), UntrustedPath);
}

TEST_F(TrustedPathTest, AnOlderFolderIsClosedToOthers) {
  const UniqueFd dir = Open(Folder("dir"));
  Folder("dir/runs", 0755);
  MakeDirectoryAt(dir.get(), "runs");
  EXPECT_EQ(fs::status(dir_.path() / "dir" / "runs").permissions(), fs::perms(0700));
}

// What another user does between the copy and its execution.
TEST_F(TrustedPathTest, TheCopyOfAProgramIsExecutedWhateverItsNameLeadsToThen) {
  const fs::path copy = dir_.path() / "copy";
  const UniqueFd program = CopyProgram("/bin/true", copy);
  EXPECT_EQ(fs::file_size(copy), fs::file_size("/bin/true"));
  fs::remove(copy);
  fs::create_symlink("/bin/false", copy);
  const Deadline deadline = Deadline::In(std::chrono::seconds(10));
  const auto by_descriptor =
      SpawnPipedProgram(program.get(), {copy.string()}, SpawnOptions()).process.Wait(deadline);
  const auto by_name = Process::Spawn({copy.string()}, SpawnOptions()).Wait(deadline);
  ASSERT_TRUE(by_descriptor && by_name);
  EXPECT_EQ(by_descriptor->exit_code, 0);
  EXPECT_EQ(by_name->exit_code, 1);
}

TEST_F(TrustedPathTest, AProgramIsCopiedOverNothing) {
  const fs::path precious = File(dir_.path() / "precious");
  fs::create_symlink(precious, dir_.path() / "agent");
  EXPECT_THROW(CopyProgram("/bin/true", dir_.path() / "agent"), SystemError);
  EXPECT_THROW(CopyProgram("/bin/true", precious), SystemError);
  EXPECT_EQ(ContentOf(precious), "content");
}

TEST_F(TrustedPathTest, AProgramThatEverybodyMayReplaceIsNotExecuted) {
  const fs::path folder = Folder("bin", 0777);
  fs::copy_file("/bin/true", folder / "runc");
  EXPECT_THROW(FindExecutable(folder / "runc"), UntrustedPath);
  ASSERT_EQ(chmod(folder.c_str(), 0755), 0);
  EXPECT_EQ(FindExecutable(folder / "runc"), folder / "runc");
}

}  // namespace
}  // namespace hvbench
