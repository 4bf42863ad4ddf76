// With the real Google Benchmark, so that what is read here is what users read.
#include "benchmarks/report/buffered_reporter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>

#include "runtime_launchers/support/json.h"
#include "tests/unit/benchmarks/report/sample_rows.h"
#include "tests/unit/fixtures/support/measurement.h"

namespace hvbench {
namespace {

using protocol::Message;
using testing::Behaviour;
using testing::CountsCell;
using testing::Measurement;
using testing::SpinCell;

std::unique_ptr<benchmark::BenchmarkReporter> JsonReporter() {
  return std::make_unique<benchmark::JSONReporter>();
}

// A guest of which cell 2 fails and cell 3 cannot run.
Behaviour MixedBehaviour() {
  Behaviour behaviour;
  behaviour.on_reply = [](Message& reply, const std::string& cell) {
    using protocol::ErrorCode;
    if (auto* run = std::get_if<protocol::RunReply>(&reply)) run->cpu_ns = 0;
    if (!std::holds_alternative<protocol::VerifyReply>(reply)) return;
    if (cell == "test/counts/n:2") {
      reply = protocol::ErrorReply{ErrorCode::kVerification, 0, "a \"quoted\" \\ reason\x01\xff"};
    }
    if (cell == "test/counts/n:3") {
      reply = protocol::ErrorReply{ErrorCode::kUnsupported, 38, "no io_uring"};
    }
  };
  return behaviour;
}

nlohmann::json Measured(
    const std::vector<CellName>& cells, const std::vector<std::string>& flags,
    const std::function<void()>& before_writing = [] {}) {
  Measurement m;
  m.Add("alpha", MixedBehaviour());
  BufferedReporter reporter(JsonReporter(), before_writing);
  std::ostringstream out;
  reporter.SetOutputStream(&out);
  reporter.SetErrorStream(&out);
  m.Report(cells, flags, reporter);
  return nlohmann::json::parse(out.str());
}

const nlohmann::json* Find(const nlohmann::json& result, const std::string& name) {
  for (const nlohmann::json& row : result.at("benchmarks")) {
    if (row.at("name") == name) return &row;
  }
  ADD_FAILURE() << "no row " << name;
  return nullptr;
}

TEST(BufferedReporter, WritesValidJsonOfEverything) {
  const nlohmann::json result = Measured({CountsCell(1, "alpha"), CountsCell(2, "alpha"),
                                          CountsCell(3, "alpha"), SpinCell(100, "alpha")},
                                         {"--benchmark_repetitions=3"});
  const std::string one = "test/counts/n:1/runtime:alpha/manual_time";
  for (const char* aggregate : {"_mean", "_median", "_stddev", "_cv"}) {
    const nlohmann::json* row = Find(result, one + aggregate);
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(row->at("cpu_time"), 0) << aggregate << ": of the guest, which used none";
    EXPECT_GE(row->at("real_time"), 0) << aggregate;
  }
  for (const nlohmann::json& row : result.at("benchmarks")) {
    EXPECT_FALSE(row.contains("guest_cpu_ns")) << row;
    for (const auto& [key, value] : row.items()) {
      EXPECT_FALSE(value.is_null()) << key << " is no number in " << row;
    }
  }
}

TEST(BufferedReporter, TellsSkippedFromFailedFromMeasured) {
  const nlohmann::json result =
      Measured({CountsCell(1, "alpha"), CountsCell(2, "alpha"), CountsCell(3, "alpha")}, {});
  const auto message = [](const nlohmann::json& row) {
    return row.value("error_message", row.value("skip_message", std::string()));
  };
  const nlohmann::json* measured = Find(result, "test/counts/n:1/runtime:alpha/manual_time");
  const nlohmann::json* failed = Find(result, "test/counts/n:2/runtime:alpha/manual_time");
  const nlohmann::json* skipped = Find(result, "test/counts/n:3/runtime:alpha/manual_time");
  EXPECT_EQ(message(*measured), "");
  EXPECT_GT(measured->at("real_time"), 0);
  EXPECT_EQ(message(*failed), "ERROR: a \"quoted\" \\ reason??");
  EXPECT_EQ(message(*skipped), "SKIPPED: no io_uring (ENOSYS)");
  for (const nlohmann::json* row : {failed, skipped}) {
    EXPECT_EQ(row->at("real_time"), -1);
    EXPECT_EQ(row->at("cpu_time"), -1);
  }
}

TEST(BufferedReporter, WritesAContextThatIsKnownOnlyAtTheEnd) {
  const nlohmann::json result = Measured({CountsCell(1, "alpha")}, {}, [] {
    benchmark::AddCustomContext("runtime.alpha.\"odd\"", "tab\there \\ \"quotes\"");
  });
  EXPECT_EQ(result.at("context").at("runtime.alpha.\"odd\""), "tab\there \\ \"quotes\"");
  EXPECT_TRUE(result.at("context").contains("num_cpus")) << "Google Benchmark's own";
}

TEST(BufferedReporter, WritesNothingBeforeTheEnd) {
  BufferedReporter reporter(JsonReporter(), [] {});
  std::ostringstream out;
  reporter.SetOutputStream(&out);
  reporter.SetErrorStream(&out);
  EXPECT_TRUE(reporter.ReportContext({}));
  reporter.ReportRuns({testing::GoodRow("cpu/a/runtime:b", 5, 10)});
  EXPECT_EQ(out.str(), "");
  reporter.Finalize();
  EXPECT_EQ(nlohmann::json::parse(out.str()).at("benchmarks").size(), 1u);
}

TEST(BufferedReporter, IsValidJsonWithoutARow) {
  BufferedReporter reporter(JsonReporter(), [] {});
  std::ostringstream out;
  reporter.SetOutputStream(&out);
  reporter.SetErrorStream(&out);
  EXPECT_TRUE(reporter.ReportContext({}));
  reporter.Finalize();
  EXPECT_TRUE(nlohmann::json::parse(out.str()).at("benchmarks").empty());
}

// Google Benchmark's CSV reporter aborts where a later row has a counter that the first had not.
TEST(BufferedReporter, WritesCsvOfKernelsWithDifferentCounters) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  BufferedReporter reporter(std::make_unique<benchmark::CSVReporter>(), [] {});
#pragma GCC diagnostic pop
  std::ostringstream out;
  std::ostringstream context;
  reporter.SetOutputStream(&out);
  reporter.SetErrorStream(&context);
  Measurement m;
  m.Add("alpha", MixedBehaviour());
  m.Report({SpinCell(100, "alpha"), CountsCell(1, "alpha"), CountsCell(2, "alpha")},
           {"--benchmark_repetitions=2"}, reporter);
  EXPECT_NE(out.str().find("last_iterations"), std::string::npos) << out.str();
  const std::string text = out.str();
  std::istringstream lines(text.substr(text.find("name,")));
  std::set<std::ptrdiff_t> commas;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("ERROR") == std::string::npos)
      commas.insert(std::count(line.begin(), line.end(), ','));
  }
  EXPECT_EQ(commas.size(), 1u) << "a table has as many columns in every row\n" << text;
}

}  // namespace
}  // namespace hvbench
