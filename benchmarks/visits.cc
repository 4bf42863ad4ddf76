#include "benchmarks/visits.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "benchmarks/results/boot_quantiles.h"
#include "benchmarks/results/result_writer.h"
#include "benchmarks/results/row.h"
#include "benchmarks/results/run_json.h"
#include "fixtures/runtime_fixture.h"
#include "runtime_launchers/support/interrupt.h"

namespace hvbench {
namespace {

using Row = Visits::Row;

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

// One that only some repetitions have counts as often as it is there, as Google Benchmark has it.
struct CounterValues {
  benchmark::Counter first;
  std::vector<double> values;
};

std::map<std::string, CounterValues> ValuesByCounter(const std::vector<Row>& rows) {
  std::map<std::string, CounterValues> counters;
  for (const Row& row : rows) {
    for (const auto& [name, counter] : row.counters) {
      counters.try_emplace(name, CounterValues{counter, {}})
          .first->second.values.push_back(counter.value);
    }
  }
  return counters;
}

double ArithmeticMean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Median(const std::vector<double>& values) {
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double StandardDeviation(const std::vector<double>& values) {
  const double mean = ArithmeticMean(values);
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
      {"mean", ArithmeticMean},
      {"median", Median},
      {"stddev", StandardDeviation},
      {"cv",
       [](const std::vector<double>& values) {
         return StandardDeviation(values) / ArithmeticMean(values);
       },
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
  const auto counters = ValuesByCounter(repetitions);
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
    for (const auto& [name, counter] : counters) {
      row.counters[name] = benchmark::Counter(statistic.compute_(counter.values),
                                              counter.first.flags, counter.first.oneK);
    }
    aggregates.push_back(std::move(row));
  }
  return aggregates;
}

Visits::Visits(const std::vector<CellName>& cells, const std::string& quantity)
    : cells_(cells), results_(QuantityNamed(quantity)) {}

void Visits::Resume(std::map<std::string, std::vector<Row>> rows) {
  rows_ = std::move(rows);
  for (const CellName& cell : cells_) {
    for (const Row& row : RowsOf(ReportedName(cell))) results_.Add(row);
  }
}

void Visits::Visit(const CellName& cell, int block) {
  const CellResult* so_far = results_.Find(cell.WithoutRuntime(), cell.runtime);
  if (so_far != nullptr && so_far->outcome != Outcome::kMeasured) return;
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector, nullptr, OnlyThis(cell));
  const std::string name = ReportedName(cell);
  std::vector<Row>& rows = rows_[name];
  std::vector<Row> added;
  for (Row& row : collector.rows) {
    if (OutcomeOf(row) == Outcome::kMeasured) row.counters[kBlockCounter] = block;
    // What was measured before an interrupt stands.
    if (InterruptRequested() && OutcomeOf(row) != Outcome::kMeasured && !rows.empty()) continue;
    results_.Add(row);
    added.push_back(Normalize(row));
    rows.push_back(added.back());
  }
  if (on_visit) on_visit(name, added);
}

void Visits::AddInterrupted() {
  for (const CellName& cell : cells_) {
    std::vector<Row>& rows = rows_[ReportedName(cell)];
    if (!rows.empty()) continue;
    const std::string message = std::string(kSkippedPrefix) + "interrupted";
    rows.push_back(Normalize(UnmeasuredRow(ReportedName(cell), message)));
    results_.Add(rows.back());
  }
}

const std::vector<Row>& Visits::RowsOf(const std::string& name) const {
  static const std::vector<Row> kNone;
  const auto found = rows_.find(name);
  return found == rows_.end() ? kNone : found->second;
}

std::vector<std::vector<Row>> Visits::Groups() const {
  std::vector<std::vector<Row>> groups;
  for (const CellName& cell : cells_) {
    std::vector<Row> rows = RowsOf(ReportedName(cell));
    if (rows.empty()) continue;
    if (OutcomeOf(rows.back()) != Outcome::kMeasured) {
      groups.push_back(std::move(rows));
      continue;
    }
    AddBootQuantiles(rows);
    const auto count = static_cast<std::int64_t>(rows.size());
    for (std::int64_t i = 0; i < count; ++i) {
      rows[static_cast<std::size_t>(i)].repetition_index = i;
      rows[static_cast<std::size_t>(i)].repetitions = count;
    }
    for (const Row& aggregate : Aggregates(rows)) rows.push_back(Normalize(aggregate));
    groups.push_back(std::move(rows));
  }
  return groups;
}

std::vector<Row> RowsOf(const std::vector<std::vector<Row>>& groups, ShownRows shown) {
  const auto is_repetition = [](const Row& row) { return row.run_type == Row::RT_Iteration; };
  std::vector<Row> all;
  for (const std::vector<Row>& group : groups) {
    const bool has_aggregates = !std::all_of(group.begin(), group.end(), is_repetition);
    for (const Row& row : group) {
      if (shown == ShownRows::kAggregates && has_aggregates && is_repetition(row)) continue;
      all.push_back(row);
    }
  }
  return all;
}

void Deliver(const std::vector<Row>& rows, benchmark::BenchmarkReporter& display) {
  if (!display.ReportContext(ContextOf(rows))) return;
  display.ReportRuns(rows);
  display.Finalize();
}

}  // namespace hvbench
