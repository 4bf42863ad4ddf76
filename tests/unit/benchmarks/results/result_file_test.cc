#include "benchmarks/results/result_file.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "runtime_launchers/support/error.h"
#include "tests/unit/benchmarks/report/sample_results.h"

namespace hvbench {
namespace {

using testing::SampleFile;

TEST(ResultFile, HasEachRepetition) {
  SampleFile sample;
  sample.Add("cpu/a/n:1/runtime:runc", {100, 110}, 3).Counter("p99_ns", 7).Counter("block", 2);
  const ResultFile file = sample.File();
  EXPECT_EQ(file.results.kernels(), std::vector<std::string>{"cpu/a/n:1"});
  const CellResult* cell = file.results.Find("cpu/a/n:1", "runc");
  ASSERT_NE(cell, nullptr);
  ASSERT_TRUE(cell->Measured());
  EXPECT_EQ(cell->RealNs(), (std::vector<double>{100, 110}));
  EXPECT_EQ(cell->samples[0].boot, 3);
  EXPECT_EQ(cell->samples[1].block, 2);
  EXPECT_EQ(cell->samples[1].counters, (std::map<std::string, double>{{"p99_ns", 7}}));
}

TEST(ResultFile, ReadsUnits) {
  SampleFile sample;
  for (const char* unit : {"ns", "us", "ms", "s"}) {
    sample.Row({{"name", "cpu/a/runtime:native/manual_time"},
                {"real_time", 2},
                {"cpu_time", 1},
                {"time_unit", unit}});
  }
  const ResultFile file = sample.File();
  EXPECT_EQ(file.results.Find("cpu/a", "native")->RealNs(),
            (std::vector<double>{2, 2e3, 2e6, 2e9}));
}

// A hand or another program wrote it: no number of it may overflow, or become infinite.
TEST(ResultFile, RefusesNumbersOutOfAllBounds) {
  SampleFile sample;
  sample.Add("cpu/a/runtime:runc", {1e300});
  sample.Add("cpu/b/runtime:runc", {5}).Counter("p99_ns", -1e300);
  sample.Add("cpu/c/runtime:runc", {5}).Counter("boot", 1e25).Counter("block", -1e25);
  const Results results = sample.File().results;
  for (const char* kernel : {"cpu/a", "cpu/b"}) {
    EXPECT_EQ(results.Find(kernel, "runc")->outcome, Outcome::kFailed);
    EXPECT_NE(results.Find(kernel, "runc")->reason.find("out of all bounds"), std::string::npos);
  }
  EXPECT_EQ(results.Find("cpu/c", "runc")->samples.at(0).boot,
            std::numeric_limits<std::int64_t>::max());
}

TEST(ResultFile, TellsSkippedFromFailed) {
  SampleFile sample;
  sample.Fail("disk/a/runtime:runc", "SKIPPED: no io_uring");
  sample.Fail("disk/b/runtime:runc", "ERROR: it died");
  sample.Fail("disk/c/runtime:runc", "of another program");
  sample.Row({{"name", "disk/d/runtime:runc/manual_time"},
              {"skipped", true},
              {"skip_message", "by a newer library"}});
  sample.Add("disk/e/runtime:runc", {0});
  const Results results = sample.File().results;
  const struct {
    const char* kernel;
    Outcome outcome;
    const char* reason;
  } cases[] = {{"disk/a", Outcome::kSkipped, "no io_uring"},
               {"disk/b", Outcome::kFailed, "it died"},
               {"disk/c", Outcome::kFailed, "of another program"},
               {"disk/d", Outcome::kSkipped, "by a newer library"},
               {"disk/e", Outcome::kFailed, "its time is not above 0"}};
  for (const auto& c : cases) {
    const CellResult* cell = results.Find(c.kernel, "runc");
    ASSERT_NE(cell, nullptr) << c.kernel;
    EXPECT_EQ(cell->outcome, c.outcome) << c.kernel;
    EXPECT_EQ(cell->reason, c.reason);
    EXPECT_FALSE(cell->Measured());
  }
}

TEST(ResultFile, UsesAggregatesWhereThereIsNothingElse) {
  SampleFile sample;
  for (const char* kind : {"mean", "median", "cv"}) {
    const double ns = std::string(kind) == "median" ? 90 : 100;
    sample.Row({{"name", std::string("cpu/a/runtime:runc/manual_time_") + kind},
                {"run_name", "cpu/a/runtime:runc/manual_time"},
                {"run_type", "aggregate"},
                {"aggregate_name", kind},
                {"boot", 1.5},
                {"real_time", ns},
                {"cpu_time", ns},
                {"time_unit", "ns"}});
  }
  const ResultFile file = sample.File();
  const CellResult* cell = file.results.Find("cpu/a", "runc");
  ASSERT_NE(cell, nullptr);
  EXPECT_EQ(cell->RealNs(), std::vector<double>{90});
  EXPECT_EQ(cell->samples[0].boot, 0);
}

TEST(ResultFile, TakesOthersBenchmarksWhole) {
  SampleFile sample;
  sample.Row({{"name", "BM_Copy/8"}, {"real_time", 3}, {"cpu_time", 3}, {"time_unit", "ns"}});
  EXPECT_NE(sample.File().results.Find("BM_Copy/8", ""), nullptr);
}

TEST(ResultFile, KnowsWhatIsEmulatedAndNested) {
  SampleFile sample;
  sample.Context("runtime.qemu.accelerator", "kvm").Context("host_virtualization", "nested");
  sample.Context("runtime.odd.accelerator", "tcg").Context("runtime.runc.accelerator", "none");
  const ResultFile file = sample.File();
  EXPECT_TRUE(file.Emulated("qemu-tcg"));
  EXPECT_TRUE(file.Emulated("odd"));
  EXPECT_FALSE(file.Emulated("qemu"));
  EXPECT_TRUE(file.Nested("qemu"));
  EXPECT_FALSE(file.Nested("runc"));
}

TEST(ResultFile, ThatIsNoneIsAnErrorWithItsName) {
  for (
      const char* text :
      {"", "[]", "{}", "{\"context\": {}}", "{\"context\": {}, \"benchmarks\": [{}]}",
       R"({"context": {}, "benchmarks": [{"name": "a", "real_time": 1, "cpu_time": 1, "time_unit": "min"}]})"}) {
    std::istringstream stream(text);
    try {
      ParseResultFile(stream, "bad.json");
      ADD_FAILURE() << text;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("bad.json"), std::string::npos) << e.what();
    }
  }
  EXPECT_THROW(ReadResultFile("/nonexistent.json"), Error);
}

// A run that is killed while it probes leaves a journal without a line, or with a torn one.
TEST(ResultFile, AJournalThatWasJustBegunHasNoResultsYet) {
  for (const std::string text : {"", "{\"hvbench_jou", "{\"hvbench_journal\":1,\"ident"}) {
    std::istringstream stream(text);
    const ResultFile file = ParseResultFile(stream, "r.json.journal");
    EXPECT_TRUE(file.results.kernels().empty()) << text;
    EXPECT_NE(file.Unfinished().find("ended before its first benchmark"), std::string::npos);
  }
  std::istringstream empty("");
  EXPECT_THROW(ParseResultFile(empty, "r.json"), Error);
}

}  // namespace
}  // namespace hvbench
