#include "benchmarks/results/result_writer.h"

#include <gtest/gtest.h>

#include "runtime_launchers/support/json.h"
#include "tests/unit/benchmarks/report/sample_rows.h"

namespace hvbench {
namespace {

using testing::FailedRow;
using testing::GoodRow;

TEST(FormatRows, WritesWhatGoogleBenchmarkDoes) {
  const auto json = nlohmann::json::parse(
      FormatRows("json", {GoodRow("cpu/a/runtime:b", 5, 10), FailedRow("cpu/a/runtime:c", "no")}));
  EXPECT_TRUE(json.at("context").contains("num_cpus"));
  ASSERT_EQ(json.at("benchmarks").size(), 2u);
  EXPECT_DOUBLE_EQ(json.at("benchmarks")[0].at("real_time"), 5);
}

TEST(FormatRows, HasTheSameRowsWithoutAContext) {
  const std::vector<testing::Row> rows = {GoodRow("cpu/a/runtime:b", 5, 10),
                                          FailedRow("cpu/a/runtime:c", "no")};
  EXPECT_EQ(nlohmann::json::parse(FormatJsonRows(rows)),
            nlohmann::json::parse(FormatRows("json", rows)).at("benchmarks"));
  EXPECT_EQ(nlohmann::json::parse(FormatJsonRows({})), nlohmann::json::array());
}

TEST(FormatRows, HasATableWithoutColours) {
  const std::string text = FormatRows("console", {GoodRow("cpu/a/runtime:b", 5, 10)});
  EXPECT_NE(text.find("cpu/a/runtime:b/manual_time"), std::string::npos) << text;
  EXPECT_EQ(text.find('\033'), std::string::npos) << text;
}

// Google Benchmark's CSV reporter aborts where a later row has a counter that the first had not.
TEST(FormatRows, WritesCsvOfRowsWithDifferentCounters) {
  auto second = GoodRow("cpu/b/runtime:b", 5, 10);
  second.counters["more"] = 1;
  const std::string text = FormatRows("csv", {GoodRow("cpu/a/runtime:b", 5, 10), second});
  EXPECT_NE(text.find("\"more\""), std::string::npos) << text;
}

TEST(FormatRows, IsValidWithoutARow) {
  EXPECT_TRUE(nlohmann::json::parse(FormatRows("json", {})).at("benchmarks").empty());
}

}  // namespace
}  // namespace hvbench
