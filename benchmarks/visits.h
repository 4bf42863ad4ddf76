// The benchmarks of a run, measured one visit at a time: a visit is one call of Google Benchmark
// for one of them, with its repetitions. A run visits each in several blocks, and in each block
// other guests are booted, so that blocks are independent of each other.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/results/results.h"
#include "fixtures/cell_name.h"

namespace hvbench {

class Visits {
 public:
  using Row = benchmark::BenchmarkReporter::Run;

  // The cells are registered with Google Benchmark. `quantity`: as QuantityNamed takes it.
  Visits(const std::vector<CellName>& cells, const std::string& quantity);

  // What was measured before, by the benchmark's reported name.
  void Resume(std::map<std::string, std::vector<Row>> rows);
  // Measures the cell once more, as part of that block. Not if it failed or was skipped before.
  void Visit(const CellName& cell, int block);
  // For what the run ended before: all cells without a row get one that says so.
  void AddInterrupted();
  // Called after each visit with the reported name and the visit's rows.
  std::function<void(const std::string& name, const std::vector<Row>&)> on_visit;

  const std::vector<CellName>& cells() const { return cells_; }
  const Results& results() const { return results_; }
  // The repetitions of one benchmark so far, in the order of their visits.
  const std::vector<Row>& RowsOf(const std::string& name) const;
  // As Google Benchmark would report them: for each cell its repetitions, then their aggregates. Of
  // one that failed on the way there are no aggregates, and its last row says why.
  std::vector<std::vector<Row>> Groups() const;

 private:
  std::vector<CellName> cells_;
  std::map<std::string, std::vector<Row>> rows_;  // repetitions, by the reported name
  Results results_;
};

// The aggregates of a benchmark's repetitions, with the statistics that the benchmark asked for;
// for rows out of a journal, which do not know them, those that Google Benchmark has by itself.
// None for a single one.
std::vector<benchmark::BenchmarkReporter::Run> Aggregates(
    const std::vector<benchmark::BenchmarkReporter::Run>& repetitions);

enum class ShownRows { kAll, kAggregates };

// All rows of the groups in one list; of a benchmark without aggregates its repetitions all the
// same.
std::vector<benchmark::BenchmarkReporter::Run> RowsOf(
    const std::vector<std::vector<benchmark::BenchmarkReporter::Run>>& groups, ShownRows shown);

// Reports as Google Benchmark does at the end of a run.
void Deliver(const std::vector<benchmark::BenchmarkReporter::Run>& rows,
             benchmark::BenchmarkReporter& display);

}  // namespace hvbench
