// The rows of a run as the program itself needs them: for the comparison table and the exit status.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/report/row.h"

namespace hvbench {

struct CellResult {
  Outcome outcome = Outcome::kMeasured;
  std::string reason;           // "" if measured
  std::vector<double> real_ns;  // the time of one iteration, one value a repetition
  // Bytes that reached the host's disks by bytes asked for, likewise; empty but for disk cells.
  std::vector<double> host_io_ratio;
};

class Results {
 public:
  // Rows that are aggregates, or not ours, are left out.
  void Add(const benchmark::BenchmarkReporter::Run& run);

  // In the order in which they were first added.
  const std::vector<std::string>& kernels() const { return kernels_; }  // without the runtime
  const std::vector<std::string>& runtimes() const { return runtimes_; }
  // nullptr if that cell was not run.
  const CellResult* Find(const std::string& kernel, const std::string& runtime) const;
  int Count(Outcome outcome) const;

 private:
  std::vector<std::string> kernels_;
  std::vector<std::string> runtimes_;
  std::map<std::pair<std::string, std::string>, CellResult> cells_;
};

}  // namespace hvbench
