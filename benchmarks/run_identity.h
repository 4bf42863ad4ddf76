// What a run is: a journal is gone on with only by one that is the same.
#pragma once

#include <cstddef>
#include <vector>

#include "benchmarks/options.h"
#include "benchmarks/results/journal_contents.h"
#include "benchmarks/runtime_selection.h"

namespace hvbench {

// The programs by their hashes, the options that change what is measured, the machine (the same
// after it was booted again), and the runtimes with their versions. Throws Error if a file that
// belongs to it cannot be read.
Identity IdentityOf(const Options& options, const std::vector<ProbedRuntime>& runtimes,
                    std::size_t benchmarks);

}  // namespace hvbench
