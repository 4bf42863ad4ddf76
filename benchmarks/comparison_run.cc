#include "benchmarks/comparison_run.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "benchmarks/report/comparison.h"
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
  for (const char c : FormatCellName(cell)) {
    if (c == '.') pattern += '\\';
    pattern += c;
  }
  return pattern + "/manual_time$";
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

}  // namespace

std::vector<Row> Aggregates(const std::vector<Row>& repetitions) {
  std::vector<Row> aggregates;
  if (repetitions.size() < 2 || repetitions.front().statistics == nullptr) return aggregates;
  std::vector<double> real;
  std::vector<double> cpu;
  for (const Row& row : repetitions) {
    real.push_back(TimeOf(row, row.real_accumulated_time));
    cpu.push_back(TimeOf(row, row.cpu_accumulated_time));
  }
  const auto counters = CounterValues(repetitions);
  for (const auto& statistic : *repetitions.front().statistics) {
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
                             GuestPool& pool, RunSettings& settings,
                             std::function<void(const std::string&)> say)
    : plan_(std::move(plan)),
      pool_(pool),
      settings_(settings),
      say_(std::move(say)),
      cells_(cells),
      results_(plan_.quantity) {
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
  std::vector<Row>& rows = rows_[FormatCellName(cell)];
  for (const Row& row : collector.rows) {
    // What was measured before an interrupt stands.
    if (InterruptRequested() && OutcomeOf(row) != Outcome::kMeasured && !rows.empty()) continue;
    results_.Add(row);
    rows.push_back(row);
  }
}

void ComparisonRun::RunBlock(const std::vector<Kernel*>& active) {
  settings_.block = ++blocks_;
  for (const Kernel* kernel : active) {
    if (InterruptRequested() || (blocks_ > 1 && OverBudget())) break;
    std::vector<CellName> order = kernel->cells;
    if (blocks_ % 2 == 0) std::reverse(order.begin(), order.end());
    for (const CellName& cell : order) Visit(cell);
    std::reverse(order.begin(), order.end());
    for (const CellName& cell : order) Visit(cell);
  }
  for (std::string& problem : pool_.ShutdownAll()) problems_.push_back(std::move(problem));
}

bool ComparisonRun::IsNarrow(const Kernel& kernel) const {
  const CellResult* baseline = results_.Find(kernel.name, plan_.baseline);
  for (const CellName& cell : kernel.cells) {
    const CellResult* other = results_.Find(kernel.name, cell.runtime);
    if (cell.runtime == plan_.baseline || other == nullptr || !other->Measured()) continue;
    if (baseline == nullptr || !baseline->Measured()) continue;
    const RatioEstimate estimate = Compare(*baseline, *other, Pairing::kSameRun).estimate;
    if (!estimate.interval || estimate.units < kMinBootstrapUnits ||
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
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start_);
    say_("block " + std::to_string(blocks_ + 1) + ": " + std::to_string(active.size()) + " of " +
         std::to_string(kernels_.size()) + " benchmarks, " + std::to_string(seconds.count()) +
         " s of " + std::to_string(plan_.budget.count()) + " s");
    RunBlock(active);
  }
  settings_.block = 0;
}

std::vector<std::vector<Row>> ComparisonRun::Rows() const {
  std::vector<std::vector<Row>> groups;
  for (const CellName& cell : cells_) {
    const auto found = rows_.find(FormatCellName(cell));
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

bool Deliver(const std::vector<std::vector<Row>>& groups, ShownRows shown,
             benchmark::BenchmarkReporter& display, benchmark::BenchmarkReporter& file,
             const std::string& path) {
  benchmark::BenchmarkReporter::Context context;
  context.name_field_width = 10;  // as Google Benchmark begins; its constructor leaves it open
  for (const auto& group : groups) {
    for (const Row& row : group) {
      context.name_field_width = std::max(context.name_field_width, row.benchmark_name().size());
    }
  }
  std::ofstream stream;
  std::vector<benchmark::BenchmarkReporter*> reporters = {&display};
  if (!path.empty()) {
    stream.open(path);
    file.SetOutputStream(&stream);
    reporters.push_back(&file);
  }
  for (benchmark::BenchmarkReporter* reporter : reporters) {
    if (!reporter->ReportContext(context)) continue;
    for (const auto& group : groups) {
      reporter->ReportRuns(reporter == &display ? Shown(group, shown) : group);
    }
    reporter->Finalize();
  }
  return path.empty() || stream.good();
}

}  // namespace hvbench
