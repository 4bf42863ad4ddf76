// What a journal says: the lines of docs/results.md ("The journal"), applied one after the other.
// The program that writes one keeps the same in memory, so that what it makes of it does not depend
// on whether it was ended in between.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/results/run_json.h"

namespace hvbench {

inline constexpr int kJournalFormat = 1;

// After the name of the file with the results.
inline constexpr char kJournalSuffix[] = ".journal";
inline constexpr char kUnfinishedKey[] = "warning.unfinished";

// What must be the same for a run to be gone on with: names for people, and values.
using Identity = std::map<std::string, std::string>;

class JournalContents {
 public:
  using Row = benchmark::BenchmarkReporter::Run;
  using Rows = std::vector<Row>;

  // One beginning of the program.
  struct Start {
    std::string date;
    std::int64_t first_boot = 1;  // the number of the first guest that it may boot
  };

  // Throws OrderedJson::exception or Error for a line that is none.
  void Apply(const OrderedJson& line);

  const std::vector<Start>& starts() const { return starts_; }
  const Identity& identity() const { return identity_; }
  const std::string& header_context() const { return header_context_; }  // Google Benchmark's JSON
  const std::map<std::string, std::string>& context() const { return context_; }
  std::int64_t last_boot() const { return last_boot_; }  // of any row; 0: none
  int blocks() const { return blocks_; }                 // of a comparison, whole ones
  double elapsed_s() const { return elapsed_s_; }        // of a comparison, at their end

  // Whether there is anything to lose: something measured, or settled for good.
  bool HasResults() const;
  // Whether that benchmark need not be measured again.
  bool IsComplete(const std::string& name) const;
  // All that is known of these benchmarks, in their order. Rows of a run that was begun more than
  // once have the counter `start`.
  Rows RowsOf(const std::vector<std::string>& names) const;
  // In the order of the journal.
  const std::vector<std::string>& names() const { return names_; }
  // What a run goes on with, by the benchmark's name: of a comparison the rows of its whole blocks,
  // else those of all visits.
  std::map<std::string, Rows> RowsToGoOnWith() const;

 private:
  struct Cell {
    bool complete = false;
    Rows rows;
    Rows repetitions;  // since these
    int repetitions_start = 0;
    Rows unfinished_block;
  };

  Cell& CellOf(const std::string& name);
  Rows ReadRows(const OrderedJson& rows);
  Row ReadRow(const OrderedJson& row);
  void ApplyStart(const OrderedJson& line);

  std::vector<Start> starts_;
  Identity identity_;
  std::string header_context_;
  std::map<std::string, std::string> context_;
  std::int64_t last_boot_ = 0;
  int blocks_ = 0;
  double elapsed_s_ = 0;
  std::vector<std::string> names_;
  std::map<std::string, Cell> cells_;
};

struct JournalFile {
  JournalContents contents;
  std::size_t valid_bytes = 0;  // without the torn end
};

// Whether that is how a journal begins.
bool IsJournal(const std::string& text);

// A last line that was not written whole is left out. Throws Error, which names the line, for any
// other damage and for a journal of another format.
JournalFile ParseJournal(const std::string& text);

// What a run that ended there says under kUnfinishedKey.
std::string DescribeUnfinished(const JournalContents& contents);

// As Google Benchmark's JSON of a run that ended there, with kUnfinishedKey in its context.
OrderedJson UnfinishedResults(const JournalContents& contents);

}  // namespace hvbench
