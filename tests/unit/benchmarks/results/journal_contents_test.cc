#include "benchmarks/results/journal_contents.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "benchmarks/journal/journal.h"
#include "benchmarks/results/result_writer.h"
#include "benchmarks/results/row.h"
#include "fixtures/runtime_fixture.h"
#include "runtime_launchers/support/json.h"
#include "tests/unit/benchmarks/report/sample_rows.h"

namespace hvbench {
namespace {

using testing::FailedRow;
using testing::Row;

constexpr char kA[] = "cpu/a/runtime:x/manual_time";
constexpr char kB[] = "cpu/b/runtime:x/manual_time";

Row MakeRow(const std::string& name, double ns, double boot = 1) {
  Row row = testing::GoodRow(name.substr(0, name.rfind('/')), ns, 10);
  row.family_index = 0;
  row.per_family_instance_index = 0;
  row.repetition_index = 0;
  row.counters[kBootCounter] = boot;
  return row;
}

std::string Start(std::int64_t first_boot = 1, int format = kJournalFormat) {
  return OrderedJson({{"hvbench_journal", format},
                      {"start", 1},
                      {"date", "2026-01-01T00:00:00Z"},
                      {"first_boot", first_boot},
                      {"identity", {{"number of benchmarks", "2"}}},
                      {"context", {{"host_name", "box"}}}})
             .dump() +
         '\n';
}

std::string Repetition(const Row& row) {
  return OrderedJson({{"repetition", JsonOf(row)}}).dump() + '\n';
}

std::string Benchmark(const std::string& name, const Row& row, bool complete = true) {
  return OrderedJson({{"benchmark", name},
                      {"complete", complete},
                      {"rows", OrderedJson::array({JsonOf(row)})}})
             .dump() +
         '\n';
}

std::string Visit(const std::string& name, double ns) {
  return OrderedJson({{"visit", name}, {"rows", OrderedJson::array({JsonOf(MakeRow(name, ns))})}})
             .dump() +
         '\n';
}

std::string Block(int number) {
  return OrderedJson({{"block", number}, {"elapsed_s", 1.5 * number}}).dump() + '\n';
}

std::vector<double> TimesOf(const JournalContents::Rows& rows) {
  std::vector<double> times;
  for (const Row& row : rows) times.push_back(std::round(row.GetAdjustedRealTime()));
  return times;
}

void ExpectError(const std::string& text, const std::string& says) {
  try {
    ParseJournal(text);
    ADD_FAILURE() << "it was read: " << text;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  }
}

TEST(RunJson, LosesNothing) {
  Row row = MakeRow(kA, 1.0 / 3);
  row.counters["rate"] =
      benchmark::Counter(7.1, benchmark::Counter::kIsRate, benchmark::Counter::kIs1024);
  row.report_label = "label";
  Row aggregate = row;
  aggregate.run_type = Row::RT_Aggregate;
  aggregate.aggregate_name = "cv";
  aggregate.aggregate_unit = benchmark::kPercentage;
  Row failed = FailedRow("cpu/a/runtime:y", "ERROR: \"quoted\"\n");
  failed.family_index = failed.per_family_instance_index = failed.repetition_index = 0;
  const std::vector<Row> rows = {row, aggregate, failed};
  std::vector<Row> again;
  for (const Row& r : rows) again.push_back(RowOf(OrderedJson::parse(JsonOf(r).dump())));
  EXPECT_EQ(FormatJsonRows(again), FormatJsonRows(rows));
  for (const char* format : {"csv", "console"}) {
    EXPECT_EQ(FormatRows(format, again), FormatRows(format, rows)) << format;
  }
}

TEST(JournalContents, HasTheRowsOfBenchmarksAndOfTheOneThatWasInterrupted) {
  const auto contents = ParseJournal(Start() + Repetition(MakeRow(kA, 1)) +
                                     Benchmark(kA, MakeRow(kA, 1)) + Repetition(MakeRow(kB, 2, 3)))
                            .contents;
  EXPECT_TRUE(contents.HasResults());
  EXPECT_TRUE(contents.IsComplete(kA));
  EXPECT_FALSE(contents.IsComplete(kB));
  EXPECT_EQ(contents.last_boot(), 3);
  EXPECT_EQ(TimesOf(contents.RowsOf({kB, kA, "cpu/none"})), (std::vector<double>{2, 1}));
  EXPECT_FALSE(contents.RowsOf({kA})[0].counters.contains(kStartCounter)) << "there was one start";
}

TEST(JournalContents, MeasuresAnInterruptedBenchmarkAnew) {
  const std::string first = Start() + Benchmark(kA, MakeRow(kA, 1)) + Repetition(MakeRow(kB, 2));
  const std::string second = first + Start(2);
  EXPECT_EQ(TimesOf(ParseJournal(second).contents.RowsOf({kB})), std::vector<double>{2})
      << "better than nothing";
  const auto contents = ParseJournal(second + Repetition(MakeRow(kB, 3, 2))).contents;
  EXPECT_EQ(TimesOf(contents.RowsOf({kB})), std::vector<double>{3});
  EXPECT_EQ(contents.RowsOf({kA})[0].counters.at(kStartCounter).value, 1);
  EXPECT_EQ(contents.RowsOf({kB})[0].counters.at(kStartCounter).value, 2);
  EXPECT_EQ(contents.starts()[1].first_boot, 2);
}

TEST(JournalContents, MeasuresWhatFailedAnew) {
  Row failed = FailedRow("cpu/a/runtime:x", "ERROR: no");
  failed.family_index = failed.per_family_instance_index = failed.repetition_index = 0;
  const std::string first = Start() + Benchmark(kA, Normalize(failed), /*complete=*/false);
  EXPECT_FALSE(ParseJournal(first).contents.IsComplete(kA));
  EXPECT_FALSE(ParseJournal(first).contents.HasResults());
  const auto contents = ParseJournal(first + Start(2) + Repetition(MakeRow(kA, 5))).contents;
  EXPECT_EQ(TimesOf(contents.RowsOf({kA})), std::vector<double>{5});
}

TEST(JournalContents, KeepsTheBlocksOfABenchmarkBesideTheOneThatWasInterrupted) {
  const std::string text =
      Start() + Benchmark(kA, MakeRow(kA, 1), /*complete=*/false) + Repetition(MakeRow(kA, 2));
  EXPECT_EQ(TimesOf(ParseJournal(text).contents.RowsOf({kA})), (std::vector<double>{1, 2}));
  const auto resumed = ParseJournal(text + Start(2)).contents;
  EXPECT_EQ(TimesOf(resumed.RowsToGoOnWith().at(kA)), std::vector<double>{1});
}

TEST(JournalContents, GoesOnByWholeBlocks) {
  const std::string text = Start() + Visit(kA, 1) + Visit(kA, 2) + Block(1) + Visit(kA, 3);
  const auto unfinished = ParseJournal(text).contents;
  EXPECT_EQ(TimesOf(unfinished.RowsOf({kA})), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(unfinished.blocks(), 1);
  const auto resumed = ParseJournal(text + Start(2) + Visit(kA, 4) + Block(2)).contents;
  EXPECT_EQ(TimesOf(resumed.RowsToGoOnWith().at(kA)), (std::vector<double>{1, 2, 4}));
  EXPECT_EQ(resumed.elapsed_s(), 3);
}

TEST(JournalContents, KeepsTheLatestFacts) {
  const auto contents = ParseJournal(Start() + "{\"facts\":{\"a\":\"1\",\"b\":\"2\"}}\n" +
                                     "{\"facts\":{\"a\":\"3\"}}\n")
                            .contents;
  EXPECT_EQ(contents.context(), (std::map<std::string, std::string>{{"a", "3"}, {"b", "2"}}));
}

// Wherever the last write was cut off, what was there before is read.
TEST(JournalContents, ToleratesATornLastLine) {
  const std::string whole = Start() + Benchmark(kA, MakeRow(kA, 1));
  const std::string last = Benchmark(kB, MakeRow(kB, 2));
  for (std::size_t length = 0; length < last.size(); ++length) {
    const JournalFile file = ParseJournal(whole + last.substr(0, length));
    EXPECT_TRUE(file.contents.IsComplete(kA));
    EXPECT_FALSE(file.contents.IsComplete(kB));
    EXPECT_EQ(file.valid_bytes, whole.size());
  }
  // What a loss of power leaves of a line whose first block was not written.
  const JournalFile zeros =
      ParseJournal(whole + std::string(100, '\0') + last.substr(last.size() - 20));
  EXPECT_EQ(zeros.valid_bytes, whole.size());
  EXPECT_TRUE(ParseJournal("").contents.starts().empty());
  EXPECT_TRUE(ParseJournal(Start().substr(0, 30)).contents.starts().empty());
}

TEST(JournalContents, SaysWhichLineIsDamaged) {
  const std::string line = Benchmark(kA, MakeRow(kA, 1));
  ExpectError(Start() + "{\"repetition\": {\n" + line, "line 2");
  ExpectError(Start() + "[]\n" + line, "line 2");
  ExpectError(Start() + line + "{\"repetition\": {}}\n", "line 3");
  ExpectError(Start() + line + "{\"later\": 1}\n", "does not know");
  ExpectError(line, "does not begin as a journal");
}

TEST(JournalContents, RefusesAnotherFormat) { ExpectError(Start(1, 99), "format 99"); }

TEST(JournalContents, IsToldFromResults) {
  EXPECT_TRUE(IsJournal(Start()));
  EXPECT_FALSE(IsJournal(FormatRows("json", {})));
  EXPECT_FALSE(IsJournal("{}"));
  EXPECT_FALSE(IsJournal(""));
}

TEST(UnfinishedResults, AreGoogleBenchmarksJsonThatSaysSo) {
  const OrderedJson json = UnfinishedResults(
      ParseJournal(Start() + Benchmark(kA, MakeRow(kA, 1)) + "{\"facts\":{\"guest\":\"1\"}}\n")
          .contents);
  EXPECT_EQ(json.at("context").at("host_name"), "box") << "of the machine that measured";
  EXPECT_EQ(json.at("context").at("guest"), "1");
  EXPECT_NE(json.at("context").at(kUnfinishedKey).get<std::string>().find("1 of 2"),
            std::string::npos);
  EXPECT_EQ(json.at("benchmarks").at(0).at("name"), kA);
}

TEST(Differences, NameWhatDiffers) {
  EXPECT_TRUE(Differences({{"a", "1"}}, {{"a", "1"}}).empty());
  EXPECT_EQ(Differences({{"a", "1"}, {"b", "2"}}, {{"a", "3"}, {"c", "4"}}),
            (std::vector<std::string>{"a was \"1\" and is \"3\"", "b was \"2\" and is not there",
                                      "c was not there and is \"4\""}));
}

}  // namespace
}  // namespace hvbench
