// Output that cannot be written is an error wherever it goes, and never lands elsewhere.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

class OutputFaultsTest : public ProgramTest {
 protected:
  OutputFaultsTest() {
    std::ofstream(dir_ / "a.json") << R"({"context": {"host_name": "box"}, "benchmarks": [
        {"name": "syscall/getppid/runtime:native/manual_time", "run_type": "iteration",
         "real_time": 100, "cpu_time": 100, "time_unit": "ns", "boot": 1},
        {"name": "syscall/getppid/runtime:native/manual_time", "run_type": "iteration",
         "real_time": 101, "cpu_time": 100, "time_unit": "ns", "boot": 2}]})";
  }

  // Runs `hvbench <arguments>` in a shell, where it can be redirected; "$A" is a file of results.
  ProgramResult Shell(const std::string& command) {
    const std::string script =
        "A=" + (dir_ / "a.json").string() + "; D=" + dir_.string() + "; hvbench() { " + program_ +
        " --hvbench_work_dir=" + work_dir_.string() + " \"$@\"; }; " + command;
    const UniqueFd err(
        open((dir_ / "err").c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
    SpawnOptions options;
    options.stderr_fd = err.get();
    return Finish(Process::Spawn({"/bin/sh", "-c", script}, options));
  }
};

const char* const kRun = " --benchmark_filter=noop/runtime:native/ --hvbench_profile=smoke ";

TEST_F(OutputFaultsTest, AFullOrClosedStandardOutputIsAnError) {
  const std::string run = kRun;
  const std::string selftest =
      "selftest --rounds=1 --blocks=2 --hvbench_runtimes=native --benchmark_min_time=0.001 "
      "--benchmark_filter=calibration/noop";
  for (const std::string& arguments : std::vector<std::string>{
           "report $A --format=markdown", "report $A", "compare $A $A",
           "compare $A $A --format=json", "findings $A", "doctor --hvbench_runtimes=native",
           "doctor --json --hvbench_runtimes=native", "manual", "completion bash", "--help",
           "--version", "--benchmark_list_tests --hvbench_runtimes=native", run,
           run + "--benchmark_format=json", run + "--benchmark_format=csv", selftest}) {
    for (const char* where : {" >/dev/full", " >&-"}) {
      const ProgramResult result = Shell("hvbench " + arguments + where);
      EXPECT_EQ(result.exit_code, 1) << arguments << where << result.err;
      EXPECT_NE(result.err.find("could not write all of the standard output"), std::string::npos)
          << arguments << where << result.err;
    }
  }
}

TEST_F(OutputFaultsTest, AStandardOutputThatIsNotNeededMayBeClosed) {
  const ProgramResult result = Shell("hvbench report $A -o $D/r.html >&-");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(std::filesystem::file_size(dir_ / "r.html"), 100u);
}

TEST_F(OutputFaultsTest, NothingLandsInTheResultsWithClosedDescriptors) {
  const ProgramResult result =
      Shell(std::string("hvbench") + kRun + "--benchmark_out=$D/r.json <&- >&- 2>&-");
  EXPECT_EQ(result.exit_code, 1) << "the table went nowhere";
  EXPECT_EQ(ReadJson("r.json").at("benchmarks").size(), 1u);
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_F(OutputFaultsTest, AFileThatCannotBeWrittenIsAnError) {
  std::filesystem::create_directory(dir_ / "folder");
  for (const char* file : {"/nonexistent/file", "/dev/full", "$D/folder", "$A/file"}) {
    for (const std::string& arguments :
         {std::string("report $A -o "), std::string(kRun) + "--benchmark_out="}) {
      const ProgramResult result = Shell("hvbench " + arguments + file);
      EXPECT_EQ(result.exit_code, 1) << arguments << file << result.err;
      EXPECT_NE(result.err.find("write"), std::string::npos) << arguments << file << result.err;
    }
  }
}

// The program copies its agent and writes results; what is too large for the caller's limit ended
// it with its folders and groups left.
TEST_F(OutputFaultsTest, ALimitOfFileSizesIsAnErrorAndNotAnEndByASignal) {
  for (const std::string blocks : {"0", "1", "40", "600"}) {
    // What it says goes through a pipe, which has no size.
    const ProgramResult result =
        Shell("(ulimit -f " + blocks + "; hvbench" + kRun +
              "--benchmark_out=$D/limited.json; echo status $?) 2>&1 | cat >&2");
    const bool has_measured = result.err.find("status 0") != std::string::npos;
    EXPECT_TRUE(has_measured || result.err.find("status 1") != std::string::npos ||
                result.err.find("status 2") != std::string::npos)
        << result.err;
    EXPECT_NE(has_measured, result.err.find("File too large") != std::string::npos) << result.err;
    EXPECT_EQ(Leftovers(), std::vector<std::string>()) << blocks;
  }
}

TEST_F(OutputFaultsTest, AFullDiskKeepsThePageThatIsThere) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a disk that is full";
  const ProgramResult result = Shell(
      "export A D; unshare --mount sh -ec '"
      "mkdir $D/disk; mount -t tmpfs -o size=64k none $D/disk; echo old >$D/disk/r.html; "
      "head -c 100k /dev/zero >$D/disk/filler 2>/dev/null || true; " +
      program_ +
      " report $A -o $D/disk/r.html && exit 9 || test $? = 1; "
      "test \"$(cat $D/disk/r.html)\" = old; test $(ls $D/disk | wc -l) = 2'");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("No space left"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace hvbench::test
