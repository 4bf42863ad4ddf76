#include "benchmarks/run_record.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include "benchmarks/exit_status.h"
#include "benchmarks/journal/repetition_row.h"
#include "benchmarks/report/comparison_table.h"
#include "benchmarks/report/verdict_table.h"
#include "benchmarks/results/result_checks.h"
#include "benchmarks/results/result_writer.h"
#include "benchmarks/run_identity.h"
#include "benchmarks/text/output.h"
#include "runtime_launchers/support/interrupt.h"

namespace hvbench {
namespace {

std::unique_ptr<Journal> OpenJournal(const Options& options) {
  if (options.list_tests || options.out.empty() || !IsReplaceable(options.out)) {
    return std::make_unique<Journal>();
  }
  return std::make_unique<Journal>(options.out,
                                   options.resume ? JournalUse::kResume : JournalUse::kStart);
}

}  // namespace

RunRecord::RunRecord(const Options& options) : options_(options), journal_(OpenJournal(options)) {}

void RunRecord::Begin(const std::vector<ProbedRuntime>& runtimes,
                      const std::vector<CellName>& cells) {
  for (const CellName& cell : cells) names_.push_back(ReportedName(cell));
  const std::string path = journal_->path().string();
  if (options_.resume && journal_->contents().starts().empty()) {
    std::cerr << "hvbench: there is nothing to go on with in " << path << ": starting anew\n";
  }
  journal_->Begin(path.empty() ? Identity() : IdentityOf(options_, runtimes, cells.size()));
  if (!journal_->problem().empty()) throw OutputError(journal_->problem());
  const JournalContents& contents = journal_->contents();
  if (contents.starts().size() > 1) context_.Resume(contents);
  activity_before_ = ReadHostActivity();
}

int RunRecord::start() const {
  const auto starts = static_cast<int>(journal_->contents().starts().size());
  return starts > 1 ? starts : 0;
}

void RunRecord::Add(const MeasuredRepetition& repetition) {
  journal_->AddFacts(context_.entries());
  journal_->AddRepetition(RowOf(repetition), repetition.last);
}

void RunRecord::Warn(const std::vector<Warning>& warnings) {
  for (const Warning& warning : warnings) {
    std::cerr << "hvbench: warning: " << warning.text << " (" << warning.advice << ")\n";
  }
  context_.AddWarnings(warnings);
}

void RunRecord::WarnAfter(const Results& results) {
  if (std::exchange(warned_after_, true)) return;
  Warn(CheckHostSince(activity_before_));
  Warn(CheckResults(results, options_.baseline));
  Warn(CheckFairness(context_.entries(), options_.baseline));
}

void RunRecord::Publish(const Results& results) {
  if (std::exchange(published_, true)) return;
  WarnAfter(results);
  if (InterruptRequested()) context_.AddUnfinished(journal_->contents());
  context_.Publish();
}

std::string RunRecord::Write(const Results& results, const Rows& rows) {
  if (options_.out.empty()) return "";
  Publish(results);
  std::string problem = journal_->problem();
  try {
    WriteFile(options_.out, FormatRows(options_.out_format, rows));
  } catch (const OutputError& error) {
    if (problem.empty()) problem = error.what();
  }
  const bool has_results = journal_->contents().HasResults();
  if (problem.empty() && !(InterruptRequested() && has_results)) {
    journal_->Remove();
  } else if (!journal_->path().empty() && has_results) {
    std::cerr << "hvbench: what was measured is in " << journal_->path().string()
              << "; --hvbench_resume goes on with it\n";
  }
  return problem;
}

int RunRecord::Conclude(const Results& results, const Rows& rows) {
  const std::string problem = Write(results, rows);
  WarnAfter(results);
  std::ostream& out = options_.format == "console" ? std::cout : std::cerr;
  if (options_.compare) {
    PrintVerdicts(Summary(results, options_.baseline), out);
  } else {
    PrintComparison(results, options_.baseline, out);
  }
  if (!problem.empty()) {
    std::cerr << "hvbench: " << problem << '\n';
    return kExitFailed;
  }
  if (InterruptRequested()) return kExitInterrupted;
  const int failed = results.Count(Outcome::kFailed);
  if (failed == 0) return kExitMeasured;
  std::cerr << "hvbench: " << failed << " benchmark" << (failed == 1 ? "" : "s") << " failed\n";
  return kExitFailed;
}

}  // namespace hvbench
