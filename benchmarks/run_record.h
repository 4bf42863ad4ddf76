// What a run leaves: its journal, its file of results, its warnings, and what it says at the end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benchmarks/journal/journal.h"
#include "benchmarks/options.h"
#include "benchmarks/results/results.h"
#include "benchmarks/run_context.h"
#include "benchmarks/runtime_selection.h"
#include "fixtures/host_facts.h"
#include "fixtures/runtime_fixture.h"
#include "fixtures/warning.h"

namespace hvbench {

class RunRecord {
 public:
  using Rows = JournalContents::Rows;

  // Takes the journal, where there is to be one; throws as Journal does. `options` outlives this.
  explicit RunRecord(const Options& options);

  // Before the first guest. Throws Error if this is not the run that it is to go on with,
  // OutputError if the journal cannot be written.
  void Begin(const std::vector<ProbedRuntime>& runtimes, const std::vector<CellName>& cells);

  RunContext& context() { return context_; }
  Journal& journal() { return *journal_; }
  // The names of all benchmarks of the run, as they are reported.
  const std::vector<std::string>& names() const { return names_; }
  // For RunSettings.
  int start() const;

  void Add(const MeasuredRepetition& repetition);
  void Warn(const std::vector<Warning>& warnings);
  // The context to Google Benchmark, before the first reporter writes it. Once.
  void Publish(const Results& results);
  // Writes the file and ends the journal, prints the summary, and returns the exit status.
  int Conclude(const Results& results, const Rows& rows);

 private:
  // What is known only then. Once.
  void WarnAfter(const Results& results);
  // "" or why the results are not in their file.
  std::string Write(const Results& results, const Rows& rows);

  const Options& options_;
  std::unique_ptr<Journal> journal_;
  RunContext context_;
  std::vector<std::string> names_;
  HostActivity activity_before_;  // of the first guest
  bool warned_after_ = false;
  bool published_ = false;
};

}  // namespace hvbench
