// Two runs at once, and `hvbench cleanup` beside a run, leave each other alone.
#include <unistd.h>

#include <set>
#include <utility>

#include "tests/integration/program.h"

namespace hvbench::test {
namespace {

class BesideTest : public ProgramTest {
 protected:
  // Those that can be used here of one of each kind.
  std::string Runtimes() {
    const std::set<std::string> wanted = {"native", "docker", "qemu-microvm-tcg"};
    std::string usable;
    const auto json = nlohmann::json::parse(Run({"doctor", "--json"}).out);
    for (const auto& runtime : json.at("runtimes")) {
      const std::string name = runtime.at("name");
      if (wanted.contains(name) && runtime.at("usable"))
        usable += (usable.empty() ? "" : ",") + name;
    }
    return usable;
  }

  // Few cells: what is tried here are boots, whose images, networks and containers cleanup knows.
  std::vector<std::string> Arguments(const std::string& runtimes, const std::string& out) const {
    return {"--hvbench_runtimes=" + runtimes, "--hvbench_profile=smoke",
            "--benchmark_filter=^(calibration/noop|network/tcp_rr)",
            "--benchmark_out=" + (dir_ / out).string()};
  }

  void ExpectAllMeasured(const std::string& out) const {
    const auto rows = ReadJson(out).at("benchmarks");
    EXPECT_FALSE(rows.empty());
    for (const auto& row : rows) {
      if (!row.contains("error_message")) continue;
      EXPECT_TRUE(row.at("error_message").get<std::string>().starts_with("SKIPPED")) << row;
    }
  }
};

TEST_F(BesideTest, CleanupLeavesALiveRunAlone) {
  const std::string runtimes = Runtimes();
  Process run = Start(Arguments(runtimes, "r.json"));
  int cleanups = 0;
  while (!run.Wait(Deadline::In(std::chrono::milliseconds(500)))) {
    const ProgramResult same = Finish(StartBy({}, {"cleanup"}, "cleanup-"));
    EXPECT_EQ(same.exit_code, 0);
    // With another work directory it knows nothing of this run but what a daemon has.
    const std::filesystem::path own = std::exchange(work_dir_, dir_ / "other");
    const ProgramResult other = Finish(StartBy({}, {"cleanup"}, "cleanup-"));
    work_dir_ = own;
    EXPECT_EQ(other.exit_code, 0);
    ++cleanups;
  }
  const ProgramResult result = Finish(std::move(run));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(cleanups, 1) << "the test proves nothing";
  ExpectAllMeasured("r.json");
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

TEST_F(BesideTest, TwoRunsAtOnceMeasureAll) {
  const std::string runtimes = Runtimes();
  Process first = StartBy({}, Arguments(runtimes, "a.json"), "a-");
  Process second = StartBy({}, Arguments(runtimes, "b.json"), "b-");
  EXPECT_EQ(Finish(std::move(first)).exit_code, 0);
  EXPECT_EQ(Finish(std::move(second)).exit_code, 0);
  for (const char* out : {"a.json", "b.json"}) ExpectAllMeasured(out);
  EXPECT_EQ(Leftovers(), std::vector<std::string>());
}

}  // namespace
}  // namespace hvbench::test
