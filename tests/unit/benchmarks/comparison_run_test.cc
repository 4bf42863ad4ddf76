// With the real Google Benchmark, on fake runtimes.
#include "benchmarks/comparison_run.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "benchmarks/report/buffered_reporter.h"
#include "benchmarks/results/comparison.h"
#include "benchmarks/selftest.h"
#include "runtime_launchers/support/json.h"
#include "tests/unit/fixtures/support/measurement.h"

namespace hvbench {
namespace {

using protocol::Message;
using testing::Behaviour;
using testing::FakeRuntime;
using testing::Measurement;
using testing::SpinCell;

// Reports a time of its own invention, 50 us times `factor`; as one that does not read the host's
// counter, by which the host would know better.
Behaviour Slower(double factor) {
  Behaviour behaviour;
  behaviour.on_reply = [factor](Message& reply, const std::string&) {
    if (auto* ping = std::get_if<protocol::PingReply>(&reply)) ping->tsc = 0;
    if (auto* run = std::get_if<protocol::RunReply>(&reply)) {
      run->elapsed_ns = static_cast<std::uint64_t>(50'000 * factor);
    }
  };
  return behaviour;
}

// Registers the cells as a run does, without running them.
class Comparing {
 public:
  explicit Comparing(std::vector<CellName> cells) : cells_(std::move(cells)) {}

  Measurement& measurement() { return measurement_; }
  ComparisonRun Make(ComparisonPlan plan) {
    plan.baseline = "alpha";
    measurement_.Run({}, {});  // Google Benchmark's flags
    for (const CellName& cell : cells_) {
      Register(std::make_unique<RuntimeFixture>(cell, measurement_.settings));
    }
    return {cells_, plan, measurement_.pool(),
            [this](const std::string& line) { said.push_back(line); }};
  }

  std::vector<std::string> said;

 private:
  Measurement measurement_;
  std::vector<CellName> cells_;
};

ComparisonPlan Blocks(int count) {
  ComparisonPlan plan;
  plan.max_blocks = count;
  plan.width = 0;
  return plan;
}

TEST(ComparisonRun, BootsEachRuntimeOncePerBlock) {
  Comparing comparing({SpinCell(2000, "alpha"), SpinCell(2000, "beta"), SpinCell(3000, "alpha"),
                       SpinCell(3000, "beta")});
  FakeRuntime& alpha = comparing.measurement().Add("alpha");
  FakeRuntime& beta = comparing.measurement().Add("beta");
  ComparisonRun run = comparing.Make(Blocks(3));
  run.Run();
  EXPECT_EQ(run.blocks(), 3);
  EXPECT_EQ(alpha.stats().launches, 3);
  EXPECT_EQ(beta.stats().launches, 3);
  EXPECT_EQ(alpha.stats().live, 0) << "no guest is left";
  EXPECT_EQ(comparing.said.size(), 3u);
  const CellResult* cell = run.results().Find("test/spin/ns:2000", "beta");
  ASSERT_NE(cell, nullptr);
  ASSERT_EQ(cell->samples.size(), 6u) << "two visits a block";
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(cell->samples[i].block, static_cast<int>(i / 2) + 1);
    EXPECT_EQ(cell->samples[i].boot, cell->samples[i & ~std::size_t{1}].boot);
  }
}

TEST(ComparisonRun, VisitsInABBAOrder) {
  std::vector<std::string> order;
  const auto recorded = [&](const std::string& name) {
    Behaviour behaviour;
    behaviour.on_request = [&order, name](const Message& request, const std::string&) {
      if (std::holds_alternative<protocol::RunRequest>(request)) order.push_back(name);
      return testing::Reaction::kForward;
    };
    return behaviour;
  };
  Comparing comparing({SpinCell(2000, "alpha"), SpinCell(2000, "beta")});
  comparing.measurement().Add("alpha", recorded("A"));
  comparing.measurement().Add("beta", recorded("B"));
  ComparisonRun run = comparing.Make(Blocks(2));
  run.Run();
  EXPECT_EQ(order, (std::vector<std::string>{"A", "B", "B", "A", "B", "A", "A", "B"}));
}

TEST(ComparisonRun, EndsWhenAllIntervalsAreNarrow) {
  Comparing comparing({SpinCell(2000, "alpha"), SpinCell(2000, "beta")});
  comparing.measurement().Add("alpha", Slower(1));
  comparing.measurement().Add("beta", Slower(1.1));
  ComparisonPlan plan;
  plan.width = 0.01;
  ComparisonRun run = comparing.Make(plan);
  run.Run();
  EXPECT_EQ(run.blocks(), static_cast<int>(kUnitsThatShowRareBoots));
  const Comparison comparison =
      Compare(*run.results().Find("test/spin/ns:2000", "alpha"),
              *run.results().Find("test/spin/ns:2000", "beta"), Pairing::kSameRun);
  EXPECT_EQ(comparison.verdict, Verdict::kHigher);
  EXPECT_NEAR(comparison.estimate.ratio, 1.1, 1e-6);
}

TEST(ComparisonRun, EndsWithItsBudget) {
  Comparing comparing({SpinCell(2000, "alpha"), SpinCell(2000, "beta")});
  comparing.measurement().Add("alpha");
  comparing.measurement().Add("beta");
  ComparisonPlan plan;
  plan.width = 0;
  plan.budget = std::chrono::seconds(0);
  ComparisonRun run = comparing.Make(plan);
  run.Run();
  EXPECT_EQ(run.blocks(), 1) << "the first is always whole";
}

TEST(ComparisonRun, AFailureCostsItsOwnCellAlone) {
  Behaviour broken;
  broken.on_reply = [](Message& reply, const std::string& cell) {
    if (cell == "test/spin/ns:3000" && std::holds_alternative<protocol::VerifyReply>(reply)) {
      reply = protocol::ErrorReply{protocol::ErrorCode::kVerification, 0, "wrong"};
    }
  };
  Comparing comparing({SpinCell(2000, "alpha"), SpinCell(2000, "beta"), SpinCell(3000, "alpha"),
                       SpinCell(3000, "beta")});
  comparing.measurement().Add("alpha");
  comparing.measurement().Add("beta", broken);
  ComparisonRun run = comparing.Make(Blocks(2));
  run.Run();
  EXPECT_EQ(run.results().Find("test/spin/ns:3000", "beta")->reason, "wrong");
  EXPECT_TRUE(run.results().Find("test/spin/ns:3000", "alpha")->Measured());
  EXPECT_TRUE(run.results().Find("test/spin/ns:2000", "beta")->Measured());
  const auto groups = run.visits().Groups();
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[3].size(), 1u) << "one row says why";
}

TEST(ComparisonRun, GoesOnBehindItsWholeBlocks) {
  const std::vector<CellName> cells = {SpinCell(2000, "alpha"), SpinCell(2000, "beta")};
  std::map<std::string, std::vector<Visits::Row>> rows;
  std::vector<int> whole_blocks;
  {
    Comparing comparing(cells);
    comparing.measurement().Add("alpha");
    comparing.measurement().Add("beta");
    ComparisonRun run = comparing.Make(Blocks(2));
    run.visits().on_visit = [&](const std::string& name, const std::vector<Visits::Row>& visit) {
      rows[name].insert(rows[name].end(), visit.begin(), visit.end());
    };
    run.on_block = [&](int block, std::chrono::duration<double>) { whole_blocks.push_back(block); };
    run.Run();
  }
  EXPECT_EQ(whole_blocks, (std::vector<int>{1, 2}));
  for (auto& [name, visits] : rows) {
    for (auto& row : visits) row.statistics = nullptr;  // as out of a journal
  }
  Comparing comparing(cells);
  FakeRuntime& alpha = comparing.measurement().Add("alpha");
  comparing.measurement().Add("beta");
  ComparisonRun run = comparing.Make(Blocks(3));
  run.Resume(rows, 2, std::chrono::seconds(1));
  run.Run();
  EXPECT_EQ(run.blocks(), 3);
  EXPECT_EQ(alpha.stats().launches, 1) << "for the third block alone";
  EXPECT_EQ(run.results().Find("test/spin/ns:2000", "beta")->samples.size(), 6u);
  EXPECT_EQ(run.visits().Groups()[0].size(), 6 + 4u) << "with aggregates";
}

TEST(ComparisonRun, GoesOnWithinItsBudget) {
  Comparing comparing({SpinCell(2000, "alpha"), SpinCell(2000, "beta")});
  FakeRuntime& alpha = comparing.measurement().Add("alpha");
  comparing.measurement().Add("beta");
  ComparisonPlan plan = Blocks(3);
  plan.budget = std::chrono::seconds(60);
  ComparisonRun run = comparing.Make(plan);
  run.Resume({}, 1, std::chrono::seconds(61));
  run.Run();
  EXPECT_EQ(alpha.stats().launches, 0);
}

// What Google Benchmark itself reports for as many repetitions.
TEST(ComparisonRun, DeliversRowsAndAggregatesAsGoogleBenchmarkDoes) {
  Comparing comparing({SpinCell(2000, "alpha"), SpinCell(2000, "beta")});
  comparing.measurement().Add("alpha", Slower(1));
  comparing.measurement().Add("beta", Slower(2));
  ComparisonRun run = comparing.Make(Blocks(2));
  run.Run();
  BufferedReporter display(std::make_unique<benchmark::JSONReporter>(), [] {});
  std::ostringstream out;
  display.SetOutputStream(&out);
  display.SetErrorStream(&out);
  Deliver(RowsOf(run.visits().Groups(), ShownRows::kAll), display);
  const auto rows = nlohmann::json::parse(out.str()).at("benchmarks");
  ASSERT_EQ(rows.size(), 2 * (4 + 4u));
  EXPECT_EQ(rows[3].at("repetition_index"), 3);
  EXPECT_EQ(rows[3].at("repetitions"), 4);
  EXPECT_EQ(rows[4].at("aggregate_name"), "mean");
  EXPECT_NEAR(rows[4].at("real_time").get<double>(), rows[0].at("real_time").get<double>(), 1e-6);
  EXPECT_EQ(rows[5].at("aggregate_name"), "median");
  EXPECT_NEAR(rows[6].at("real_time").get<double>(), 0, 1e-6) << "stddev";
  EXPECT_NEAR(rows[7].at("real_time").get<double>(), 0, 1e-9) << "cv";
  EXPECT_EQ(rows[8].at("name"), "test/spin/ns:2000/runtime:beta/manual_time");
}

TEST(Aggregates, AreThoseOfGoogleBenchmark) {
  Measurement m;
  Behaviour behaviour;
  behaviour.on_reply = [runs = 0](Message& reply, const std::string&) mutable {
    auto* run = std::get_if<protocol::RunReply>(&reply);
    if (run != nullptr && ++runs == 5) run->counters.push_back({"in_the_last", 7});
  };
  m.Add("alpha", behaviour);
  class Keep : public benchmark::BenchmarkReporter {
   public:
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>& report) override {
      for (const Run& run : report) {
        (run.run_type == Run::RT_Iteration ? repetitions : aggregates).push_back(run);
      }
    }
    std::vector<Run> repetitions;
    std::vector<Run> aggregates;
  } theirs;
  m.Report({SpinCell(2000, "alpha")}, {"--benchmark_repetitions=5"}, theirs);
  ASSERT_FALSE(theirs.aggregates.empty());
  ASSERT_TRUE(theirs.aggregates[0].counters.contains("in_the_last"))
      << "one repetition alone has it";
  const auto ours = Aggregates(theirs.repetitions);
  ASSERT_EQ(ours.size(), theirs.aggregates.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const auto& expected = theirs.aggregates[i];
    SCOPED_TRACE(expected.aggregate_name);
    EXPECT_EQ(ours[i].benchmark_name(), expected.benchmark_name());
    EXPECT_EQ(ours[i].iterations, expected.iterations);
    const double scale = std::abs(expected.real_accumulated_time);
    EXPECT_NEAR(ours[i].real_accumulated_time, expected.real_accumulated_time, 1e-6 * scale);
    for (const auto& [name, counter] : expected.counters) {
      EXPECT_NEAR(ours[i].counters.at(name).value, counter.value, 1e-6 * std::abs(counter.value))
          << name;
    }
  }
}

TEST(Selftest, CountsWhatIsCalledDifferent) {
  for (const double factor : {1.0, 1.5}) {
    Comparing comparing({SpinCell(2000, "alpha"), SpinCell(2000, TwinOf("alpha"))});
    comparing.measurement().Add("alpha", Slower(1));
    comparing.measurement().Add(TwinOf("alpha"), Slower(factor));
    comparing.Make(Blocks(6));  // registers
    const SelftestCount count =
        RunSelftest("alpha", {SpinCell(2000, "alpha"), SpinCell(2000, TwinOf("alpha"))}, Blocks(6),
                    2, comparing.measurement().pool(), [](const std::string&) {});
    EXPECT_EQ(count.comparisons, 2);
    EXPECT_EQ(count.called_slower, factor > 1 ? 2 : 0);
    EXPECT_EQ(count.FalsePositiveRate(), factor > 1 ? 1 : 0);
  }
}

}  // namespace
}  // namespace hvbench
