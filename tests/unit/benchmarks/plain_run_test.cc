// With the real Google Benchmark, on fake runtimes.
#include "benchmarks/plain_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "tests/unit/fixtures/support/measurement.h"

namespace hvbench {
namespace {

using protocol::Message;
using testing::Behaviour;
using ::testing::ElementsAre;
using testing::FakeRuntime;
using testing::Measurement;
using testing::SpinCell;

const std::vector<CellName>& TwoByTwo() {
  static const std::vector<CellName> kTwoByTwo = {SpinCell(2000, "alpha"), SpinCell(2000, "beta"),
                                                  SpinCell(3000, "alpha"), SpinCell(3000, "beta")};
  return kTwoByTwo;
}

// A run whose cells are registered, of two fake runtimes that note what they measure.
class Plainly {
 public:
  explicit Plainly(Behaviour of_beta = {}) {
    alpha = &measurement_.Add("alpha", Recorded({}));
    beta = &measurement_.Add("beta", Recorded(std::move(of_beta)));
    measurement_.Run({}, {});  // Google Benchmark's flags
    for (const CellName& cell : TwoByTwo()) {
      Register(std::make_unique<RuntimeFixture>(cell, measurement_.settings));
    }
  }
  PlainRun Make(int blocks) { return {TwoByTwo(), blocks, measurement_.pool()}; }

  FakeRuntime* alpha;
  FakeRuntime* beta;
  int most_live = 0;  // guests at once

 private:
  Behaviour Recorded(Behaviour behaviour) {
    behaviour.on_request = [this](const Message& request, const std::string&) {
      if (std::holds_alternative<protocol::RunRequest>(request)) {
        most_live = std::max(most_live, alpha->stats().live + beta->stats().live);
      }
      return testing::Reaction::kForward;
    };
    return behaviour;
  }

  Measurement measurement_;
};

TEST(PlainRun, MeasuresEachBenchmarkOnceInEachBoot) {
  Plainly plainly;
  PlainRun run = plainly.Make(3);
  EXPECT_EQ(run.VisitsLeft(), 12);
  std::vector<std::string> visits;
  run.visits().on_visit = [&](const std::string& name, const auto& rows) {
    EXPECT_EQ(rows.size(), 1u);
    visits.push_back(name);
  };
  std::vector<int> whole;
  run.on_block = [&](int block, std::chrono::duration<double>) { whole.push_back(block); };
  run.Run();
  EXPECT_EQ(visits.size(), 12u);
  EXPECT_THAT(whole, ElementsAre(1, 2, 3));
  EXPECT_EQ(plainly.alpha->stats().launches, 3);
  EXPECT_EQ(plainly.beta->stats().launches, 3);
  EXPECT_EQ(plainly.most_live, 1) << "each is gone before the next";
  EXPECT_EQ(plainly.alpha->stats().live + plainly.beta->stats().live, 0);
  for (const CellName& cell : TwoByTwo()) {
    const CellResult* result = run.visits().results().Find(cell.WithoutRuntime(), cell.runtime);
    ASSERT_NE(result, nullptr);
    std::set<std::int64_t> boots;
    std::set<std::int64_t> blocks;
    for (const Sample& sample : result->samples) {
      boots.insert(sample.boot);
      blocks.insert(sample.block);
    }
    EXPECT_EQ(boots.size(), 3u);
    EXPECT_THAT(blocks, ElementsAre(1, 2, 3));
    EXPECT_TRUE(run.IsWhole(ReportedName(cell)));
  }
  EXPECT_EQ(run.VisitsLeft(), 0);
  ASSERT_EQ(run.visits().Groups().size(), 4u);
  EXPECT_EQ(run.visits().Groups()[0].size(), 3 + 4u) << "with aggregates";
}

TEST(PlainRun, GoesOnInTheMiddleOfABlock) {
  std::map<std::string, std::vector<Visits::Row>> rows;
  {
    Plainly plainly;
    PlainRun run = plainly.Make(2);
    int visits = 0;
    run.visits().on_visit = [&](const std::string& name, const std::vector<Visits::Row>& visit) {
      if (++visits > 5) return;  // what is lost
      rows[name].insert(rows[name].end(), visit.begin(), visit.end());
      for (Visits::Row& row : rows[name]) row.statistics = nullptr;  // as out of a journal
    };
    run.Run();
  }
  Plainly plainly;
  PlainRun run = plainly.Make(2);
  run.Resume(rows, 1);
  EXPECT_EQ(run.VisitsLeft(), 3);
  run.Run();
  EXPECT_EQ(plainly.alpha->stats().launches + plainly.beta->stats().launches, 2);
  for (const auto& group : run.visits().Groups()) EXPECT_EQ(group.size(), 2 + 4u);
}

TEST(PlainRun, AFailureCostsItsOwnCellAndKeepsWhatWasMeasured) {
  int verified = 0;
  Behaviour breaks;
  breaks.on_reply = [&](Message& reply, const std::string& cell) {
    if (cell == "test/spin/ns:3000" && std::holds_alternative<protocol::VerifyReply>(reply) &&
        ++verified == 2) {
      reply = protocol::ErrorReply{protocol::ErrorCode::kVerification, 0, "wrong"};
    }
  };
  Plainly plainly(breaks);
  PlainRun run = plainly.Make(3);
  run.Run();
  const Results& results = run.visits().results();
  EXPECT_EQ(results.Find("test/spin/ns:3000", "beta")->reason, "wrong");
  EXPECT_EQ(results.Find("test/spin/ns:3000", "alpha")->samples.size(), 3u);
  EXPECT_EQ(results.Find("test/spin/ns:2000", "beta")->samples.size(), 3u);
  EXPECT_EQ(run.visits().Groups()[3].size(), 2u)
      << "the first boot's row, and why there is no more";
}

// A counter that is 0 in all boots has no coefficient of variation, which JSON could not have.
TEST(PlainRun, HasFiniteAggregates) {
  Behaviour behaviour;
  behaviour.on_reply = [](Message& reply, const std::string&) {
    if (auto* run = std::get_if<protocol::RunReply>(&reply)) run->counters = {{"zero", 0}};
  };
  Plainly plainly(behaviour);
  PlainRun run = plainly.Make(2);
  run.Run();
  EXPECT_EQ(run.visits().Groups()[1].back().aggregate_name, "cv");
  EXPECT_EQ(run.visits().Groups()[1].back().counters.at("zero").value, 0);
}

TEST(RuntimesInBlock, BringsEachRuntimeEarlyAndLate) {
  const std::vector<std::string> four = {"a", "b", "c", "d"};
  EXPECT_THAT(RuntimesInBlock(four, 1), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(RuntimesInBlock(four, 2), ElementsAre("d", "c", "b", "a"));
  EXPECT_THAT(RuntimesInBlock(four, 3), ElementsAre("c", "d", "a", "b"));
  EXPECT_THAT(RuntimesInBlock(four, 4), ElementsAre("b", "a", "d", "c"));
  EXPECT_TRUE(RuntimesInBlock({}, 3).empty());
  // Over each pair of blocks all have the same mean place; over eight, each was in each place.
  std::map<std::string, std::set<std::size_t>> places;
  for (int block = 1; block <= 8; ++block) {
    const auto order = RuntimesInBlock(four, block);
    for (std::size_t i = 0; i < order.size(); ++i) places[order[i]].insert(i);
  }
  for (const auto& [runtime, seen] : places) EXPECT_EQ(seen.size(), 4u) << runtime;
}

TEST(BenchmarksInBlock, ShufflesWithinSubsystemsAndLosesNothing) {
  std::vector<std::string> names;
  for (const char* subsystem : {"cpu/", "disk/", "memory/"}) {
    for (char c = 'a'; c <= 'h'; ++c) names.push_back(std::string(subsystem) + c);
  }
  EXPECT_EQ(BenchmarksInBlock(names, 1), names);
  for (int block = 2; block <= 5; ++block) {
    const auto order = BenchmarksInBlock(names, block);
    EXPECT_EQ(std::multiset<std::string>(order.begin(), order.end()),
              std::multiset<std::string>(names.begin(), names.end()));
    EXPECT_EQ(order, BenchmarksInBlock(names, block)) << "a run that goes on has the same";
    EXPECT_NE(order, BenchmarksInBlock(names, block + 1));
    int changes = 0;
    for (std::size_t i = 1; i < order.size(); ++i) changes += order[i][0] != order[i - 1][0];
    EXPECT_EQ(changes, 2) << "a subsystem's benchmarks follow each other";
  }
}

}  // namespace
}  // namespace hvbench
