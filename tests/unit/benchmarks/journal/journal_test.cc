// On real files.
#include "benchmarks/journal/journal.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <sstream>

#include "benchmarks/journal/repetition_row.h"
#include "benchmarks/results/row.h"
#include "benchmarks/text/output.h"
#include "runtime_launchers/support/interrupt.h"
#include "runtime_launchers/support/json.h"
#include "tests/unit/benchmarks/report/sample_rows.h"
#include "tests/unit/fixtures/support/measurement.h"
#include "tests/unit/fixtures/support/temporary_dir.h"

namespace hvbench {
namespace {

namespace fs = std::filesystem;
using testing::CountsCell;
using testing::GoodRow;
using testing::Measurement;
using testing::Row;

const Identity kIdentity = {{"number of benchmarks", "1"}, {"--hvbench_cpus", "1"}};

class JournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<Journal> Open(JournalUse use) const {
    return std::make_unique<Journal>(dir_.path() / "r.json", use);
  }
  static std::string Message(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  std::string Contents() const {
    std::ostringstream text;
    text << std::ifstream(file_).rdbuf();
    return text.str();
  }
  static Row MakeRow() {
    Row row = GoodRow("cpu/a/runtime:x", 5, 10);
    row.family_index = row.per_family_instance_index = row.repetition_index = 0;
    return row;
  }

  testing::TemporaryDir dir_;
  fs::path file_ = dir_.path() / "r.json.journal";
};

TEST_F(JournalTest, IsGoneOnWith) {
  {
    const auto journal = Open(JournalUse::kStart);
    journal->Begin(kIdentity);
    journal->AddFacts({{"fact", "1"}});
    journal->AddFacts({{"fact", "1"}});
    journal->AddBenchmark("cpu/a/runtime:x/manual_time", {MakeRow()}, /*complete=*/true);
    EXPECT_EQ(journal->problem(), "");
  }
  const std::string text = Contents();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << "a fact is written once\n" << text;
  std::ofstream(file_, std::ios::app) << "{\"torn";
  const auto journal = Open(JournalUse::kResume);
  EXPECT_EQ(Contents(), text) << "the torn end is gone";
  journal->Begin(kIdentity);
  EXPECT_EQ(journal->contents().starts().size(), 2u);
  EXPECT_TRUE(journal->contents().IsComplete("cpu/a/runtime:x/manual_time"));
  EXPECT_EQ(journal->contents().context().at("fact"), "1");
  EXPECT_TRUE(Contents().starts_with(text)) << "nothing is written twice";
  journal->Remove();
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(JournalTest, IsNotOverwritten) {
  {
    const auto journal = Open(JournalUse::kStart);
    journal->Begin(kIdentity);
    journal->AddRepetition(MakeRow(), /*last=*/false);
  }
  const std::string text = Contents();
  EXPECT_NE(Message([&] { Open(JournalUse::kStart); }).find("--hvbench_resume"), std::string::npos);
  EXPECT_EQ(Contents(), text);
}

TEST_F(JournalTest, WithoutResultsIsReplaced) {
  Open(JournalUse::kStart)->Begin(kIdentity);
  ASSERT_TRUE(fs::exists(file_));
  const auto journal = Open(JournalUse::kStart);
  journal->Begin({{"another", "run"}});
  EXPECT_EQ(journal->contents().starts().size(), 1u);
}

TEST_F(JournalTest, ThatHoldsNothingIsRemoved) {
  Open(JournalUse::kStart);
  EXPECT_FALSE(fs::exists(file_));
  Open(JournalUse::kResume);
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(JournalTest, OfAnotherRunIsRefusedWithWhatDiffers) {
  {
    const auto journal = Open(JournalUse::kStart);
    journal->Begin(kIdentity);
    journal->AddRepetition(MakeRow(), /*last=*/false);
  }
  Identity other = kIdentity;
  other["--hvbench_cpus"] = "2";
  const std::string text = Contents();
  const std::string message = Message([&] { Open(JournalUse::kResume)->Begin(other); });
  EXPECT_NE(message.find("--hvbench_cpus was \"1\" and is \"2\""), std::string::npos) << message;
  EXPECT_EQ(message.find("number of benchmarks"), std::string::npos) << message;
  EXPECT_EQ(Contents(), text);
}

TEST_F(JournalTest, ThatIsNoneIsLeftAlone) {
  for (const char* text : {"my diary\nday 2\n", "my diary", "{}\n{}\n"}) {
    std::ofstream(file_) << text;
    for (const JournalUse use : {JournalUse::kStart, JournalUse::kResume}) {
      EXPECT_NE(Message([&] { Open(use); }).find(file_.string()), std::string::npos);
      EXPECT_EQ(Contents(), text);
    }
  }
  fs::remove(file_);
  fs::create_symlink(dir_.path() / "elsewhere", file_);
  EXPECT_NE(Message([&] { Open(JournalUse::kStart); }), "");
  EXPECT_FALSE(fs::exists(dir_.path() / "elsewhere"));
}

TEST_F(JournalTest, BelongsToOneProgramAtATime) {
  const auto journal = Open(JournalUse::kStart);
  EXPECT_NE(Message([&] { Open(JournalUse::kStart); }).find("another run"), std::string::npos);
  EXPECT_TRUE(fs::exists(file_));
}

TEST_F(JournalTest, InMemoryKeepsTheSame) {
  Journal journal;
  journal.Begin({});
  journal.AddBenchmark("cpu/a/runtime:x/manual_time", {MakeRow()}, /*complete=*/true);
  EXPECT_EQ(journal.contents().RowsOf({"cpu/a/runtime:x/manual_time"}).size(), 1u);
}

// In a child, since the limit and the request to end are the process's.
TEST_F(JournalTest, ThatCannotBeWrittenEndsTheRunAndStaysWhole) {
  const auto child = [&] {
    signal(SIGXFSZ, SIG_IGN);
    const auto journal = Open(JournalUse::kStart);
    journal->Begin(kIdentity);
    journal->AddRepetition(MakeRow(), /*last=*/false);
    const rlimit limit = {fs::file_size(file_) + 10, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    if (InterruptRequested()) return 1;
    journal->AddRepetition(MakeRow(), /*last=*/false);
    if (journal->problem().find(file_.string()) == std::string::npos) return 2;
    if (!InterruptRequested()) return 3;
    if (journal->contents().RowsOf(journal->contents().names()).size() != 2) return 4;
    return 0;
  };
  EXPECT_EXIT(std::exit(child()), ::testing::ExitedWithCode(0), "");
  const std::string text = Contents();
  EXPECT_TRUE(text.ends_with('\n')) << text;
  EXPECT_EQ(ParseJournal(text).valid_bytes, text.size());
}

// Rows of repetitions are what Google Benchmark reports of them at the end.
TEST_F(JournalTest, HasARepetitionAsItIsReported) {
  class Keep : public benchmark::BenchmarkReporter {
   public:
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>& report) override {
      for (const Run& run : report) {
        if (run.run_type == Run::RT_Iteration) rows.push_back(Normalize(run));
      }
    }
    std::vector<Run> rows;
  } reported;
  Measurement m;
  m.Add("alpha");
  m.settings.repetitions = 3;
  std::vector<Row> measured;
  m.settings.on_measured = [&](const MeasuredRepetition& r) {
    measured.push_back(RowOf(r));
    EXPECT_EQ(r.last, measured.size() == 3);
  };
  m.Report({CountsCell(1, "alpha")}, {"--benchmark_repetitions=3"}, reported);
  ASSERT_EQ(measured.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    measured[i].repetition_index = static_cast<std::int64_t>(i);
    measured[i].repetitions = 3;
    EXPECT_EQ(JsonOf(measured[i]).dump(), JsonOf(reported.rows[i]).dump());
  }
}

}  // namespace
}  // namespace hvbench
