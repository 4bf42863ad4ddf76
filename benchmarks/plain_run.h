// A run that measures each runtime by itself: in every block each runtime boots once, measures all
// of its benchmarks, and is gone before the next one boots.
//
// The boot is the unit, since repetitions inside of one boot share its memory layout and its luck.
// So no benchmark is measured twice in one boot, and each repetition that a user asks for is a
// block. What a runtime's place among the others, and a benchmark's place among its neighbours, do
// to the results must not look like a property of either: both orders change with each block.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/visits.h"
#include "fixtures/guest_pool.h"

namespace hvbench {

class PlainRun {
 public:
  // The cells are registered with Google Benchmark. `blocks`: how many there are in all, at
  // least 1.
  PlainRun(const std::vector<CellName>& cells, int blocks, GuestPool& pool);

  // Before Run: goes on with one that ended after so many whole blocks, with these rows by the
  // benchmark's reported name. What a block has already is not measured again.
  void Resume(std::map<std::string, std::vector<Visits::Row>> rows, int whole_blocks);
  // Until all blocks are measured or the user interrupts. Leaves no guest running. Once.
  void Run();

  // For on_visit, and what was measured.
  Visits& visits() { return visits_; }
  // Whether all blocks have that benchmark, by its reported name.
  bool IsWhole(const std::string& name) const;
  // How many visits Run will make, if nothing is skipped.
  int VisitsLeft() const;
  // Called after each whole block.
  std::function<void(int block, std::chrono::duration<double> elapsed)> on_block;

  // What went wrong with guests, for a warning.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void RunBlock(int block);
  bool Has(const std::string& name, int block) const;

  int blocks_;
  int whole_blocks_ = 0;
  GuestPool& pool_;
  Visits visits_;
  std::vector<std::string> problems_;
};

// The order of a block, from 1. Every second one has the reverse of the one before; in between the
// list is rotated, so that each runtime is early, in the middle and late.
std::vector<std::string> RuntimesInBlock(std::vector<std::string> runtimes, int block);

// The order of a block, the same for all runtimes: as given in the first. Later the subsystems,
// which share what they have prepared, follow each other as RuntimesInBlock has it, each with its
// benchmarks shuffled. `names` are as CellName::WithoutRuntime has them.
std::vector<std::string> BenchmarksInBlock(const std::vector<std::string>& names, int block);

}  // namespace hvbench
