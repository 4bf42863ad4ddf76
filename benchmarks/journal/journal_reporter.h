// From Google Benchmark and the fixtures into the journal.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/journal/journal.h"
#include "fixtures/runtime_fixture.h"

namespace hvbench {

class JournalReporter : public benchmark::BenchmarkReporter {
 public:
  // The journal outlives it. `names`: as reported, of all benchmarks of the run in their order,
  // also of those that Google Benchmark does not know, since they were measured before.
  JournalReporter(Journal& journal, const std::vector<std::string>& names);

  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& report) override;
  void Finalize() override { Flush(); }

 private:
  // What Google Benchmark reports of a benchmark as one line: repetitions and aggregates come in
  // calls of their own.
  void Flush();

  Journal& journal_;
  std::string name_;  // whose rows are held back
  Journal::Rows rows_;
  std::map<std::string, std::int64_t> family_;  // as Google Benchmark counts them
};

// The row that Google Benchmark will report of it with those of the other repetitions, but for
// their number.
benchmark::BenchmarkReporter::Run RowOf(const MeasuredRepetition& repetition);

}  // namespace hvbench
