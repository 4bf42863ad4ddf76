#include "benchmarks/comparison_run.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "benchmarks/results/comparison.h"
#include "benchmarks/results/result_writer.h"
#include "benchmarks/results/row.h"
#include "runtime_launchers/support/interrupt.h"

namespace hvbench {
namespace {

using Row = ComparisonRun::Row;

// Keeps the repetitions of one pass.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& report) override {
    for (const Run& run : report) {
      if (run.run_type == Run::RT_Iteration) rows.push_back(run);
    }
  }

  std::vector<Run> rows;
};

// A regular expression that only this benchmark matches.
std::string OnlyThis(const CellName& cell) {
  std::string pattern = "^";
  for (const char c : ReportedName(cell)) {
    if (c == '.') pattern += '\\';
    pattern += c;
  }
  return pattern + '$';
}

double TimeOf(const Row& row, double accumulated) {
  return row.iterations > 0 ? accumulated / static_cast<double>(row.iterations) : accumulated;
}

// Its counters are those of all repetitions; each has as many values as there are repetitions.
std::map<std::string, std::vector<double>> CounterValues(const std::vector<Row>& rows) {
  std::map<std::string, std::vector<double>> values;
  for (const Row& row : rows) {
    for (const auto& [name, counter] : row.counters) values[name].push_back(counter.value);
  }
  std::erase_if(values, [&](const auto& entry) { return entry.second.size() != rows.size(); });
  return values;
}

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Median(const std::vector<double>& values) {
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double StandardDeviation(const std::vector<double>& values) {
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return values.size() < 2 ? 0 : std::sqrt(sum / static_cast<double>(values.size() - 1));
}

const std::vector<benchmark::internal::Statistics>& StatisticsOf(
    const std::vector<Row>& repetitions) {
  for (const Row& row : repetitions) {
    if (row.statistics != nullptr) return *row.statistics;
  }
  static const std::vector<benchmark::internal::Statistics> kDefault = {
      {"mean", Mean},
      {"median", Median},
      {"stddev", StandardDeviation},
      {"cv",
       [](const std::vector<double>& values) { return StandardDeviation(values) / Mean(values); },
       benchmark::kPercentage}};
  return kDefault;
}

}  // namespace

std::vector<Row> Aggregates(const std::vector<Row>& repetitions) {
  std::vector<Row> aggregates;
  if (repetitions.size() < 2) return aggregates;
  std::vector<double> real;
  std::vector<double> cpu;
  for (const Row& row : repetitions) {
    real.push_back(TimeOf(row, row.real_accumulated_time));
    cpu.push_back(TimeOf(row, row.cpu_accumulated_time));
  }
  const auto counters = CounterValues(repetitions);
  for (const auto& statistic : StatisticsOf(repetitions)) {
    Row row = repetitions.front();
    row.run_type = Row::RT_Aggregate;
    row.aggregate_name = statistic.name_;
    row.aggregate_unit = statistic.unit_;
    row.repetition_index = Row::no_repetition_index;
    row.iterations = static_cast<benchmark::IterationCount>(repetitions.size());
    const double count = static_cast<double>(row.iterations);
    // Reporters divide by the iterations, but not for a percentage.
    const double scale = statistic.unit_ == benchmark::kPercentage ? 1 : count;
    row.real_accumulated_time = statistic.compute_(real) * scale;
    row.cpu_accumulated_time = statistic.compute_(cpu) * scale;
    row.counters.clear();
    for (const auto& [name, values] : counters) {
      const benchmark::Counter& first = repetitions.front().counters.at(name);
      row.counters[name] = benchmark::Counter(statistic.compute_(values), first.flags, first.oneK);
    }
    aggregates.push_back(std::move(row));
  }
  return aggregates;
}

ComparisonRun::ComparisonRun(const std::vector<CellName>& cells, ComparisonPlan plan,
                             GuestPool& pool, std::function<void(const std::string&)> say)
    : plan_(std::move(plan)),
      pool_(pool),
      say_(std::move(say)),
      cells_(cells),
      results_(QuantityNamed(plan_.quantity)) {
  for (const CellName& cell : cells) {
    const std::string name = cell.WithoutRuntime();
    if (kernels_.empty() || kernels_.back().name != name) kernels_.push_back({name, {}});
    kernels_.back().cells.push_back(cell);
  }
}

void ComparisonRun::Visit(const CellName& cell) {
  const CellResult* so_far = results_.Find(cell.WithoutRuntime(), cell.runtime);
  if (so_far != nullptr && so_far->outcome != Outcome::kMeasured) return;
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector, nullptr, OnlyThis(cell));
  const std::string name = ReportedName(cell);
  std::vector<Row>& rows = rows_[name];
  std::vector<Row> added;
  for (Row& row : collector.rows) {
    if (OutcomeOf(row) == Outcome::kMeasured) row.counters[kBlockCounter] = blocks_;
    // What was measured before an interrupt stands.
    if (InterruptRequested() && OutcomeOf(row) != Outcome::kMeasured && !rows.empty()) continue;
    results_.Add(row);
    added.push_back(Normalize(row));
    rows.push_back(added.back());
  }
  if (on_visit) on_visit(name, added);
}

void ComparisonRun::Resume(std::map<std::string, std::vector<Row>> rows, int blocks,
                           std::chrono::duration<double> elapsed) {
  rows_ = std::move(rows);
  blocks_ = blocks;
  elapsed_before_ = elapsed;
  for (const CellName& cell : cells_) {
    for (const Row& row : rows_[ReportedName(cell)]) results_.Add(row);
  }
}

void ComparisonRun::RunBlock(const std::vector<Kernel*>& active) {
  ++blocks_;
  for (const Kernel* kernel : active) {
    if (InterruptRequested() || (blocks_ > 1 && OverBudget())) break;
    std::vector<CellName> order = kernel->cells;
    if (blocks_ % 2 == 0) std::reverse(order.begin(), order.end());
    for (const CellName& cell : order) Visit(cell);
    std::reverse(order.begin(), order.end());
    for (const CellName& cell : order) Visit(cell);
  }
  for (std::string& problem : pool_.ShutdownAll()) problems_.push_back(std::move(problem));
  if (on_block && !InterruptRequested()) on_block(blocks_, Elapsed());
}

bool ComparisonRun::IsNarrow(const Kernel& kernel) const {
  const CellResult* baseline = results_.Find(kernel.name, plan_.baseline);
  for (const CellName& cell : kernel.cells) {
    const CellResult* other = results_.Find(kernel.name, cell.runtime);
    if (cell.runtime == plan_.baseline || other == nullptr || !other->Measured()) continue;
    if (baseline == nullptr || !baseline->Measured()) continue;
    const RatioEstimate estimate = Compare(*baseline, *other, Pairing::kSameRun).estimate;
    if (!estimate.interval || estimate.sampling_units < kMinBootstrapSamplingUnits ||
        estimate.interval->high / estimate.interval->low - 1 > plan_.width) {
      return false;
    }
  }
  return true;
}

void ComparisonRun::Run() {
  start_ = Clock::now();
  while (blocks_ < plan_.max_blocks && !InterruptRequested()) {
    if (blocks_ > 0 && OverBudget()) break;
    std::vector<Kernel*> active;
    for (Kernel& kernel : kernels_) {
      if (blocks_ == 0 || !IsNarrow(kernel)) active.push_back(&kernel);
    }
    if (active.empty()) break;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Elapsed());
    say_("block " + std::to_string(blocks_ + 1) + ": " + std::to_string(active.size()) + " of " +
         std::to_string(kernels_.size()) + " benchmarks, " + std::to_string(seconds.count()) +
         " s of " + std::to_string(plan_.budget.count()) + " s");
    RunBlock(active);
  }
}

std::vector<std::vector<Row>> ComparisonRun::Rows() const {
  std::vector<std::vector<Row>> groups;
  for (const CellName& cell : cells_) {
    const auto found = rows_.find(ReportedName(cell));
    if (found == rows_.end() || found->second.empty()) continue;
    std::vector<Row> rows = found->second;
    if (OutcomeOf(rows.back()) != Outcome::kMeasured) {
      groups.push_back({rows.back()});
      continue;
    }
    const auto count = static_cast<std::int64_t>(rows.size());
    for (std::int64_t i = 0; i < count; ++i) {
      rows[static_cast<std::size_t>(i)].repetition_index = i;
      rows[static_cast<std::size_t>(i)].repetitions = count;
    }
    std::vector<Row> aggregates = Aggregates(rows);
    rows.insert(rows.end(), aggregates.begin(), aggregates.end());
    groups.push_back(std::move(rows));
  }
  return groups;
}

namespace {

std::vector<Row> Shown(std::vector<Row> rows, ShownRows shown) {
  const auto is_repetition = [](const Row& row) { return row.run_type == Row::RT_Iteration; };
  if (shown == ShownRows::kAggregates && !std::all_of(rows.begin(), rows.end(), is_repetition)) {
    std::erase_if(rows, is_repetition);
  }
  return rows;
}

}  // namespace

void Deliver(const std::vector<std::vector<Row>>& groups, ShownRows shown,
             benchmark::BenchmarkReporter& display) {
  std::vector<Row> all;
  for (const auto& group : groups) all.insert(all.end(), group.begin(), group.end());
  if (!display.ReportContext(ContextOf(all))) return;
  for (const auto& group : groups) display.ReportRuns(Shown(group, shown));
  display.Finalize();
}

}  // namespace hvbench
