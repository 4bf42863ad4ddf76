// Real boots: that the rows hold together, and that nothing stays behind whenever it ends.
#include <signal.h>
#include <map>

#include <algorithm>
#include <set>
#include <thread>

#include "fixtures/cell_name.h"
#include "fixtures/sample_name.h"
#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

class StartupTest : public ProgramTest, public testing::WithParamInterface<std::string> {
 protected:
  // Whether the runtime can be measured here; the reason in reason_.
  bool Usable() {
    const auto json =
        nlohmann::json::parse(Run({"doctor", "--json", "--hvbench_runtimes=" + GetParam()}).out);
    const auto& runtime = json.at("runtimes").at(0);
    reason_ = runtime.at("reason");
    return runtime.at("usable");
  }

  std::vector<std::string> Arguments(const std::string& filter) const {
    return {"--hvbench_runtimes=" + GetParam(), "--benchmark_filter=^startup/" + filter,
            "--benchmark_out=" + (dir_ / "r.json").string()};
  }

  std::string reason_;
};

double Number(const nlohmann::json& row, const char* key) { return row.at(key).get<double>(); }

void CheckBoot(const nlohmann::json& row) {
  const double sum_ms =
      Number(row, "boot_process_ms") + Number(row, "boot_agent_ms") + Number(row, "boot_reply_ms");
  EXPECT_NEAR(sum_ms * 1e6, Number(row, "real_time"), 100) << row;
  for (const char* phase : {"boot_process_ms", "boot_agent_ms", "boot_reply_ms"}) {
    EXPECT_GE(Number(row, phase), 0) << row;
  }
  EXPECT_GT(Number(row, "stop_ms"), 0) << row;
  EXPECT_LE(Number(row, "p50_ns"), Number(row, "p90_ns")) << row;
  EXPECT_LE(Number(row, "p90_ns"), Number(row, "p99_ns")) << row;
  EXPECT_EQ(Number(row, "boots"), 4) << row;
  // A runtime's commands work; they do not wait for hours of somebody else's.
  EXPECT_GT(Number(row, "host_cpu_ns"), 1e5) << row;
  EXPECT_LT(Number(row, "host_cpu_ns"), 1e10) << row;
  std::map<std::string, int> samples;
  for (const auto& [key, value] : row.items()) {
    if (IsSampleName(key)) ++samples[key.substr(0, key.find('_'))];
  }
  EXPECT_EQ(samples, (std::map<std::string, int>{{"boot", 4}, {"stop", 4}})) << row;
}

void CheckMemory(const CellName& name, const nlohmann::json& row) {
  const double guest = Number(row, "guest_pss_bytes");
  const bool touched = name.params.at(0).second == "touched_64mib";
  EXPECT_EQ(guest >= 64 * kMiB, touched) << row;
  EXPECT_LT(guest, 96 * kMiB) << row;
  EXPECT_GE(Number(row, "overhead_pss_bytes"), 0) << row;
  EXPECT_GE(Number(row, "processes"), 1) << row;
}

TEST_P(StartupTest, RealBootsHoldTogether) {
  if (!Usable()) GTEST_SKIP() << GetParam() << ": " << reason_;
  std::vector<std::string> arguments = Arguments("(boot|memory|density|first_touch)");
  arguments.insert(arguments.end(), {"--hvbench_profile=smoke", "--benchmark_min_time=4x"});
  const ProgramResult result = Run(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out.find("boot_001_ms"), std::string::npos) << "samples are for files";
  std::set<std::string> kernels;
  const auto json = ReadJson("r.json");
  for (const auto& row : json.at("benchmarks")) {
    const auto name = ParseCellName(row.at("name").get<std::string>());
    ASSERT_TRUE(name) << row;
    if (row.value("error_occurred", false)) {
      // Where the files lie in memory, or someone else uses the same binary.
      EXPECT_EQ(name->params.at(0).second, "cold") << row;
      EXPECT_TRUE(row.at("error_message").get<std::string>().starts_with("SKIPPED: ")) << row;
      continue;
    }
    kernels.insert(name->kernel);
    if (name->kernel == "startup/boot") CheckBoot(row);
    if (name->kernel == "startup/memory") CheckMemory(*name, row);
    if (name->kernel == "startup/first_touch") {
      EXPECT_GT(Number(row, "touch_ns"), 0) << row;
      EXPECT_NEAR(Number(row, "items_per_second") * Number(row, "real_time"), 64 * 256 * 1e9, 1e9);
    }
    if (name->kernel == "startup/density") {
      EXPECT_GT(Number(row, "guest_002_boot_ms"), 0) << row;
    }
  }
  EXPECT_EQ(kernels, (std::set<std::string>{"startup/boot", "startup/density",
                                            "startup/first_touch", "startup/memory"}));
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_P(StartupTest, AnInterruptAmongBootsLeavesValidJsonAndNothingElse) {
  if (!Usable()) GTEST_SKIP() << GetParam() << ": " << reason_;
  for (const char* filter :
       {"boot/cache:warm/", "memory/state:idle/", "density/guests:8/order:sequence/",
        "density/guests:8/order:parallel/"}) {
    SCOPED_TRACE(filter);
    std::vector<std::string> arguments = Arguments(filter);
    arguments.insert(arguments.end(), {"--hvbench_profile=full", "--benchmark_repetitions=1000",
                                       "--hvbench_memory_mib=128"});
    Process program = Start(arguments);
    AwaitProgress("startup/");
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    program.Kill(SIGINT);
    const ProgramResult result = Finish(std::move(program));
    EXPECT_EQ(result.exit_code, 130) << result.err;
    std::filesystem::remove(dir_ / "r.json.journal");  // which only a resumed run may go on with
    EXPECT_TRUE(ReadJson("r.json").at("context").contains("warning.unfinished"));
    EXPECT_EQ(Leftovers(), std::vector<std::string>());
  }
}

TEST_P(StartupTest, WhatAKilledProgramLeftOfManyGuestsIsRemoved) {
  if (!Usable()) GTEST_SKIP() << GetParam() << ": " << reason_;
  std::vector<std::string> arguments = Arguments("density/guests:8/order:parallel/");
  arguments.insert(arguments.end(), {"--hvbench_profile=full", "--benchmark_repetitions=1000",
                                     "--hvbench_memory_mib=128"});
  Process program = Start(arguments);
  AwaitProgress("startup/");
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  program.Kill(SIGKILL);
  Finish(std::move(program));
  EXPECT_NE(Leftovers(), std::vector<std::string>()) << "the test proves nothing";
  const ProgramResult cleanup = Run({"cleanup"});
  EXPECT_EQ(cleanup.exit_code, 0) << cleanup.err;
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Runtimes, StartupTest, testing::Values("native", "runc"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace hvbench::test
