// What runs now, on standard error: one line that is rewritten on a terminal, plain lines
// elsewhere.
#pragma once

#include <chrono>
#include <string>

#include "fixtures/cell_name.h"

namespace hvbench {

class Progress {
 public:
  Progress();

  // The run has so many repetitions before it, of all benchmarks together.
  void Begin(int repetitions);
  void BeginRepetition(const CellName& cell);
  // Removes the line, so that something else can be printed. Does nothing where there is none.
  void Clear();
  // A line of its own, for example a warning.
  void Note(const std::string& text);

 private:
  std::string Line(const std::string& name) const;

  using Clock = std::chrono::steady_clock;
  int total_ = 0;
  int begun_ = 0;
  bool terminal_;
  bool line_shown_ = false;
  std::string last_name_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace hvbench
