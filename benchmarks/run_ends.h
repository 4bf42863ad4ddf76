// How a program begins and ends its runs, and what it removes of others.
#pragma once

#include <filesystem>
#include <vector>

#include "benchmarks/options.h"
#include "fixtures/run_dir.h"
#include "fixtures/runtime_set.h"

namespace hvbench {

std::filesystem::path ImagesDir(const Options& options);

// Signals end it in order from here on, and its guests' orphans are its own. Call it once, before
// threads are started.
void BeginProgram();

// Lives as long as the program: what a second signal does must not run into the destructors of
// static objects.
class ProgramEnd {
 public:
  ProgramEnd() = default;
  ProgramEnd(const ProgramEnd&) = delete;
  ProgramEnd& operator=(const ProgramEnd&) = delete;
  ~ProgramEnd();
};

// Removes what killed runs left, and begins one of this program's own, whose guests a second signal
// kills.
RunDir BeginRun(const Options& options);

// All of `hvbench cleanup`; returns the exit status.
int RunCleanup(const Options& options, std::vector<Runtime>& runtimes);

}  // namespace hvbench
