// Real measurements: every kernel's smoke parameters, and faults that cost one cell alone.
#include <signal.h>
#include <sys/mount.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <set>
#include <thread>

#include "fixtures/cell_name.h"
#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

using MeasuringTest = ProgramTest;

bool IsSkip(const nlohmann::json& row) {
  return row.value("error_occurred", false) &&
         row.value("error_message", std::string()).starts_with("SKIPPED: ");
}

TEST_F(MeasuringTest, EveryKernelIsMeasuredNatively) {
  const ProgramResult result =
      Run({"--hvbench_profile=smoke", "--hvbench_runtimes=native", "--hvbench_cpus=2",
           "--benchmark_out=" + (dir_ / "r.json").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = ReadJson("r.json");
  std::set<std::string> subsystems;
  for (const auto& row : json.at("benchmarks")) {
    const auto name = ParseCellName(row.at("name").get<std::string>());
    ASSERT_TRUE(name.has_value()) << row;
    EXPECT_EQ(name->runtime, "native");
    subsystems.insert(name->Subsystem());
    if (IsSkip(row)) continue;
    EXPECT_FALSE(row.contains("error_occurred")) << row;
    EXPECT_GT(row.at("real_time").get<double>(), 0) << row;
    EXPECT_GE(row.at("cpu_time").get<double>(), 0) << row;
    EXPECT_GE(row.at("host_cpu_ns").get<double>(), 0) << row;
    EXPECT_GT(row.at("items_per_second").get<double>(), 0) << row;
    EXPECT_GT(row.at("bridge_round_trip_ns").get<double>(), 0) << row;
    EXPECT_FALSE(row.contains("guest_cpu_ns")) << row;
  }
  for (const char* subsystem : {"calibration", "cpu", "disk", "memory", "mysql", "network", "nginx",
                                "startup", "syscall"}) {
    EXPECT_TRUE(subsystems.contains(subsystem)) << subsystem;
  }
  const auto& context = json.at("context");
  for (const char* key : {"hvbench_version", "hvbench_profile", "host_kernel", "host_clocksource",
                          "host_cgroup_version", "host_virtualization", "runtime.native.version",
                          "runtime.native.transport", "runtime.native.command_line",
                          "runtime.native.binary_sha256", "runtime.native.accelerator"}) {
    EXPECT_TRUE(context.contains(key)) << key;
  }
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_F(MeasuringTest, AKilledGuestCostsItsOwnCellAlone) {
  Process program =
      Start({"--hvbench_runtimes=native", "--benchmark_min_time=2", "--benchmark_repetitions=1",
             "--benchmark_filter=syscall/(epoll|eventfd|getppid)/",
             "--benchmark_out=" + (dir_ / "r.json").string()});
  AwaitProgress("syscall/eventfd");
  const std::vector<pid_t> agents = Agents();
  ASSERT_EQ(agents.size(), 1u);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  kill(agents[0], SIGKILL);
  const ProgramResult result = Finish(std::move(program));
  EXPECT_EQ(result.exit_code, 1) << result.err;
  const auto rows = ReadJson("r.json").at("benchmarks");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_GT(rows[0].at("real_time").get<double>(), 0);
  EXPECT_TRUE(rows[1].value("error_occurred", false));
  const std::string message = rows[1].at("error_message");
  EXPECT_TRUE(message.starts_with("ERROR: ")) << message;
  EXPECT_NE(message.find("signal 9"), std::string::npos) << message;
  EXPECT_LT(rows[1].at("real_time").get<double>(), 0) << "must not look like a result";
  EXPECT_GT(rows[2].at("real_time").get<double>(), 0);
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_F(MeasuringTest, AWorkDirectoryOnAFullDiskIsOneSentence) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to mount a small tmpfs";
  std::filesystem::create_directories(work_dir_);
  ASSERT_EQ(mount("none", work_dir_.c_str(), "tmpfs", 0, "size=64k,mode=0700"), 0)
      << strerror(errno);
  {
    std::ofstream filler(work_dir_ / "filler");
    filler << std::string(1 << 20, 'x') << std::flush;
  }
  const ProgramResult result =
      Run({"--hvbench_profile=smoke", "--hvbench_runtimes=native", "--benchmark_filter=noop"});
  umount2(work_dir_.c_str(), MNT_DETACH);
  EXPECT_TRUE(result.exit_code == 1 || result.exit_code == 2) << result.exit_code << result.err;
  const bool says_why = (result.err + result.out).find("disk full") != std::string::npos ||
                        (result.err + result.out).find("No space left") != std::string::npos;
  EXPECT_TRUE(says_why) << result.err << result.out;
}

TEST_F(MeasuringTest, AFullScratchDiskCostsItsOwnCellAlone) {
  const auto mke2fs = FindExecutable("mke2fs");
  if (geteuid() != 0 || !mke2fs) GTEST_SKIP() << "needs root and mke2fs for a small disk";
  std::filesystem::create_directories(work_dir_);
  const Deadline deadline = Deadline::In(std::chrono::seconds(30));
  const std::string image = dir_ / "image";
  ASSERT_TRUE(RunCommand({mke2fs->string(), "-q", image, "48M"}, deadline).status.success());
  const CommandResult mounted = RunCommand(
      {FindExecutable("mount")->string(), "-o", "loop", image, work_dir_.string()}, deadline);
  if (!mounted.status.success()) GTEST_SKIP() << "no loop device: " << mounted.output;
  // One cell wants a file of 1 GiB, the others none.
  const ProgramResult result =
      Run({"--hvbench_runtimes=native", "--benchmark_min_time=0.02", "--benchmark_repetitions=1",
           "--benchmark_filter=disk/seqread/.*direct:0|disk/readdir/.*volume|syscall/getppid",
           "--benchmark_out=" + (dir_ / "r.json").string()});
  umount2(work_dir_.c_str(), MNT_DETACH);
  EXPECT_EQ(result.exit_code, 1) << result.err;
  int failed = 0;
  int measured = 0;
  const auto json = ReadJson("r.json");
  for (const auto& row : json.at("benchmarks")) {
    const std::string message = row.value("error_message", std::string());
    (message.empty() ? measured : failed) += 1;
    if (message.empty()) continue;
    EXPECT_TRUE(message.starts_with("ERROR: ")) << message;
    EXPECT_NE(message.find("No space left on device"), std::string::npos) << message;
    EXPECT_TRUE(row.at("name").get<std::string>().starts_with("disk/seqread/")) << row;
  }
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(measured, 2);
}

TEST_F(MeasuringTest, GoogleBenchmarksOwnToolComparesRuntimes) {
  const std::string tool = "/usr/share/benchmark/compare.py";
  const std::string python = "/usr/bin/python3";
  if (!std::filesystem::exists(tool)) GTEST_SKIP() << "needs the package libbenchmark-tools";
  if (RunCommand({python, "-c", "import scipy"}, Deadline::In(std::chrono::seconds(60)))
          .status.exit_code != 0) {
    GTEST_SKIP() << "needs the package python3-scipy";
  }
  std::ofstream(dir_ / "runtimes.json")
      << R"({"runtimes": [{"name": "again", "launcher": "native"}]})";
  const ProgramResult result =
      Run({"--hvbench_runtimes_file=" + (dir_ / "runtimes.json").string(),
           "--hvbench_runtimes=native,again", "--benchmark_min_time=0.02",
           "--benchmark_repetitions=3", "--benchmark_filter=syscall/(getppid|epoll)/",
           "--benchmark_out=" + (dir_ / "r.json").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const CommandResult compared = RunCommand({python, tool, "filters", (dir_ / "r.json").string(),
                                             "runtime:native(?=/)", "runtime:again(?=/)"},
                                            Deadline::In(std::chrono::seconds(60)));
  EXPECT_TRUE(compared.status.success()) << compared.output;
  for (const char* kernel : {"syscall/getppid/[", "syscall/epoll/[", "OVERALL_GEOMEAN"}) {
    EXPECT_NE(compared.output.find(kernel), std::string::npos) << compared.output;
  }
}

TEST_F(MeasuringTest, AggregatesAreFiniteAndKeepTheGuestsCpuTime) {
  const ProgramResult result =
      Run({"--hvbench_runtimes=native", "--benchmark_min_time=0.02", "--benchmark_repetitions=3",
           "--benchmark_filter=cpu/matmul", "--benchmark_out=" + (dir_ / "r.json").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  int aggregates = 0;
  const auto json = ReadJson("r.json");
  for (const auto& row : json.at("benchmarks")) {
    for (const auto& [key, value] : row.items()) {
      if (!value.is_number()) continue;
      EXPECT_TRUE(std::isfinite(value.get<double>())) << key << row;
    }
    if (row.at("run_type") != "aggregate") continue;
    ++aggregates;
    if (row.at("aggregate_name") != "mean") continue;
    // One thread that only computes: its CPU time is its elapsed time, less what the machine's
    // other work takes. This program's own, which only waits, would be a thousandth of that.
    const double ratio = row.at("cpu_time").get<double>() / row.at("real_time").get<double>();
    EXPECT_GT(ratio, 0.1) << row;
    EXPECT_LT(ratio, 1.1) << row;
  }
  EXPECT_GE(aggregates, 3);
}

}  // namespace
}  // namespace hvbench::test
