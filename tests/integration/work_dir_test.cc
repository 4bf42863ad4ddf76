// Where the work directory may be, who else may have a hand in it, and what it may be called.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/integration/program.h"
#include "tests/support/environment_variable.h"

namespace hvbench::test {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kOther = 65534;  // "nobody"

class WorkDirTest : public ProgramTest {
 protected:
  static std::vector<std::string> Noop(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"--hvbench_profile=smoke", "--hvbench_runtimes=native",
                                      "--benchmark_filter=calibration/noop"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // That it ends with status 2, one line, and these words in it; and starts nothing.
  void ExpectRefused(const std::vector<std::string>& arguments, const std::string& says) {
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_NE(result.err.find(says), std::string::npos) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_EQ(result.out, "");
  }

  fs::path OpenFolder(const std::string& name) const {
    fs::create_directory(dir_ / name);
    EXPECT_EQ(chmod((dir_ / name).c_str(), 0777), 0);
    return dir_ / name;
  }
};

// Tests with another user on the machine.
class OtherUsersTest : public WorkDirTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

TEST_F(WorkDirTest, AFolderThatEverybodyMayWriteToIsRefusedByEveryWord) {
  work_dir_ = OpenFolder("open") / "work";
  for (const std::vector<std::string>& arguments :
       {Noop(), {"doctor"}, {"cleanup"}, Noop({"--benchmark_list_tests"})}) {
    ExpectRefused(arguments, "open is writable for everybody");
  }
  EXPECT_FALSE(fs::exists(work_dir_));
}

TEST_F(OtherUsersTest, AFolderOfAnotherUserIsRefusedWithTheFix) {
  fs::create_directories(dir_ / "theirs" / "ours");
  ASSERT_EQ(lchown((dir_ / "theirs").c_str(), kOther, kOther), 0);
  work_dir_ = dir_ / "theirs" / "ours" / "work";
  ExpectRefused(Noop(), "chown -h root '" + (dir_ / "theirs").string() + "'");
  EXPECT_FALSE(fs::exists(work_dir_));
  // Through a link of ours as well.
  fs::create_directory_symlink(dir_ / "theirs" / "ours", dir_ / "link");
  work_dir_ = dir_ / "link" / "work";
  ExpectRefused(Noop(), "theirs belongs to user 65534");
  fs::create_directories(dir_ / "our folder");
  fs::create_directory_symlink(dir_ / "our folder", dir_ / "their link");
  ASSERT_EQ(lchown((dir_ / "their link").c_str(), kOther, kOther), 0);
  work_dir_ = dir_ / "their link";
  ExpectRefused(Noop(), "their link belongs to user 65534");
}

TEST_F(WorkDirTest, WhatEverybodyMayReplaceIsNeitherExecutedNorBooted) {
  const fs::path open_folder = OpenFolder("open");
  const std::string says = "is writable for everybody";
  fs::copy_file(HVBENCH_TEST_AGENT, open_folder / "agent");
  ExpectRefused(Noop({"--hvbench_agent=" + (open_folder / "agent").string()}), says);
  std::ofstream(open_folder / "runtimes.json") << R"({"runtimes": []})";
  ExpectRefused(Noop({"--hvbench_runtimes_file=" + (open_folder / "runtimes.json").string()}),
                says);
  std::ofstream(open_folder / "vmlinuz") << "planted";
  ExpectRefused(Noop({"--hvbench_guest_kernel=" + (open_folder / "vmlinuz").string()}), says);
  fs::copy_file("/bin/true", open_folder / "runc");
  std::ofstream(dir_ / "runtimes.json")
      << R"({"runtimes": [{"name": "planted", "launcher": "runc", "binary": ")"
      << (open_folder / "runc").string() << R"("}]})";
  ExpectRefused({"--hvbench_runtimes_file=" + (dir_ / "runtimes.json").string(),
                 "--hvbench_runtimes=planted"},
                says);
  const EnvironmentVariable root("HVBENCH_APPLICATION_ROOT", open_folder);
  ExpectRefused(Noop(), says);
}

TEST_F(WorkDirTest, ALockThatIsALinkMakesNothingElsewhere) {
  fs::create_directories(work_dir_ / "runs" / "1x2");
  fs::create_symlink(dir_ / "made", work_dir_ / "runs" / "1x2" / "lock");
  const ProgramResult cleanup = Run({"cleanup"});
  EXPECT_EQ(cleanup.exit_code, 1);
  EXPECT_NE(cleanup.err.find("runs/1x2"), std::string::npos) << cleanup.err;
  EXPECT_FALSE(fs::exists(dir_ / "made"));
  fs::remove_all(work_dir_ / "runs" / "1x2");
}

TEST_F(OtherUsersTest, ARunThatAnotherLeftIsNotCleanedUpInItsName) {
  fs::create_directories(work_dir_ / "runs" / "1x2");
  std::ofstream(work_dir_ / "runs" / "1x2" / "runc-1.json")
      << R"({"launcher": "runc", "name": "runc", "binary": "/bin/false", "options": []})";
  ASSERT_EQ(lchown((work_dir_ / "runs" / "1x2").c_str(), kOther, kOther), 0);
  const ProgramResult cleanup = Run({"cleanup"});
  EXPECT_EQ(cleanup.exit_code, 1);
  EXPECT_NE(cleanup.err.find("belongs to user 65534"), std::string::npos) << cleanup.err;
  EXPECT_TRUE(fs::exists(work_dir_ / "runs" / "1x2" / "runc-1.json"));
  fs::remove_all(work_dir_ / "runs" / "1x2");
}

// In a folder like /tmp, where another user tries all that would make a run execute something else.
TEST_F(OtherUsersTest, AnotherUserReachesNothingOfARunInASharedFolder) {
  if (!FindExecutable("setpriv")) GTEST_SKIP() << "needs the package util-linux";
  const fs::path shared = OpenFolder("shared");
  ASSERT_EQ(chmod(dir_.c_str(), 0755), 0);
  ASSERT_EQ(chmod(shared.c_str(), 01777), 0);
  work_dir_ = shared / "work";
  const std::string attack =
      "cd '" + shared.string() +
      "'; while :; do for run in work/runs/*; do "
      "[ \"$run\" = 'work/runs/*' ] || echo \"$run\" >>reached; "
      "mv \"$run\" \"$run.moved\" 2>/dev/null && echo moved >>reached; done; "
      "mv work work.moved 2>/dev/null && echo moved >>reached; done";
  Process attacker = Process::Spawn({FindExecutable("setpriv")->string(), "--reuid=65534",
                                     "--regid=65534", "--clear-groups", "sh", "-c", attack},
                                    SpawnOptions());
  const ProgramResult result = Run(Noop({"--benchmark_repetitions=3"}));
  attacker.Kill(SIGKILL);
  attacker.Wait(Deadline::In(std::chrono::seconds(10)));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_FALSE(fs::exists(shared / "reached"));
}

TEST_F(WorkDirTest, WhatItCannotBeCalledIsRefused) {
  for (const std::string& name :
       {std::string("two\nlines"), std::string("tab\t"), std::string("a,b"), std::string("a:b"),
        std::string("a%b"), std::string("no\xFFutf8"), std::string(200, 'x')}) {
    SCOPED_TRACE(name);
    work_dir_ = dir_ / name;
    for (int i = 0; name.size() == 200 && i < 5; ++i) work_dir_ /= name;
    ExpectRefused(Noop(), "its path ");
    EXPECT_FALSE(fs::exists(dir_ / name));
  }
}

// Of a path that reaches a runtime as JSON, and lies in no work directory.
TEST_F(OtherUsersTest, AGroupThatJsonCannotNameIsRefusedInASentence) {
  if (!FindExecutable("runc")) GTEST_SKIP() << "needs runc";
  const EnvironmentVariable group("HVBENCH_CGROUP", "/hvbench-no\xFFutf8");
  std::vector<std::string> arguments = Noop();
  arguments[1] = "--hvbench_runtimes=runc";
  ExpectRefused(arguments, "utf8/hvbench-");
  ExpectRefused(arguments, "is not UTF-8, which JSON cannot hold");
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

// All that a path may have, in one, for all runtimes that are usable here. The trial of an emulated
// machine makes it, with its sockets; booting it would take a minute on a loaded machine.
TEST_F(WorkDirTest, AnOddPathServesEveryRuntime) {
  const std::string plain = Run({"doctor", "--json"}).out;
  work_dir_ = dir_ / "a c d'e\"fg\\h#i?j&k=[l]*$(m);|<n>`~!{o}\xC3\xBC" / std::string(200, 'x');
  const std::string odd = Run({"doctor", "--json"}).out;
  EXPECT_EQ(nlohmann::json::parse(plain), nlohmann::json::parse(odd));
  const ProgramResult result =
      Run({"--hvbench_profile=smoke", "--benchmark_out=" + (dir_ / "r.json").string(),
           "--benchmark_filter=(calibration/noop|disk/create_unlink|network/tcp_rr).*/"
           "runtime:[^q]"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json json = ReadJson("r.json");
  EXPECT_FALSE(json.at("benchmarks").empty());
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_F(OtherUsersTest, InMemoryNoDiskIsMeasured) {
  fs::create_directories(work_dir_);
  ASSERT_EQ(mount("none", work_dir_.c_str(), "tmpfs", 0, "size=200m,mode=0700"), 0)
      << strerror(errno);
  const ProgramResult result = Run({"--hvbench_profile=smoke", "--hvbench_runtimes=native",
                                    "--benchmark_out=" + (dir_ / "r.json").string(),
                                    "--benchmark_filter=calibration/noop|disk/"});
  umount2(work_dir_.c_str(), MNT_DETACH);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  int skipped = 0;
  const nlohmann::json json = ReadJson("r.json");
  for (const auto& row : json.at("benchmarks")) {
    const std::string name = row.at("name");
    const std::string message = row.value("error_message", std::string());
    if (name.find("target:") == std::string::npos ||
        name.find("target:tmpfs") != std::string::npos) {
      EXPECT_EQ(message.find("no disk"), std::string::npos) << row;
      continue;
    }
    ++skipped;
    EXPECT_TRUE(message.starts_with("SKIPPED: the work directory is no disk, but memory (tmpfs)"))
        << row;
  }
  EXPECT_GT(skipped, 0);
}

}  // namespace
}  // namespace hvbench::test
