// The file <benchmark_out>.journal: what a run has measured so far, a line a fact, on the disk
// before the run goes on. docs/results.md describes its lines.
#pragma once

#include <benchmark/benchmark.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/results/journal_contents.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {

enum class JournalUse {
  kStart,   // an existing one with results is an error
  kResume,  // goes on with an existing one
};

class Journal {
 public:
  using Rows = JournalContents::Rows;

  // In memory alone: nothing of it outlives the program.
  Journal() = default;
  // Takes the journal beside the file of results `out` for this program alone. Throws Error if
  // another program has it, or if it must not be used so; OutputError if it cannot be written.
  Journal(const std::filesystem::path& out, JournalUse use);
  // Removes a journal that holds nothing.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  const JournalContents& contents() const { return contents_; }
  const std::filesystem::path& path() const { return path_; }

  // All that follow are in the file when they return, and on the disk (one fdatasync(2)), but for
  // what is said to be so with the next. The first that fails requests the run's end
  // (RequestInterrupt), and is the problem() since.

  // The first line of this start. Throws Error that names what differs from what is there.
  void Begin(const Identity& identity);
  // Those that are new, or that changed. On the disk with the next.
  void AddFacts(const std::map<std::string, std::string>& facts);
  // `last`: all rows of the benchmark come next, and it is on the disk with them.
  void AddRepetition(const JournalContents::Row& row, bool last);
  // All rows of a benchmark. `complete`: it need not be measured again.
  void AddBenchmark(const std::string& name, const Rows& rows, bool complete);
  // A comparison measures in blocks, which visit each benchmark once: the rows of one visit.
  void AddVisit(const std::string& name, const Rows& rows);
  void EndBlock(int block, double elapsed_s);

  // "" or why it is not on the disk.
  const std::string& problem() const { return problem_; }
  // Once what it holds is in the file of results.
  void Remove();

 private:
  void Lock();
  void Read(JournalUse use);
  enum class Sync { kNow, kWithNext };
  void Append(const OrderedJson& line, Sync sync = Sync::kNow);

  std::filesystem::path path_;
  UniqueFd fd_;  // locked with flock(2)
  std::size_t size_ = 0;
  JournalContents contents_;
  std::string problem_;
};

// What has been left out of `now`, or is another: sentences without an end.
std::vector<std::string> Differences(const Identity& then, const Identity& now);

}  // namespace hvbench
