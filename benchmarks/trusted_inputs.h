// What root would execute, boot or write to because a flag or an environment variable names it.
#pragma once

#include "benchmarks/options.h"

namespace hvbench {

// Makes the work directory, before anything is started. Throws Error, which says what to do, if it,
// or a program, kernel, root file system or list of runtimes that this run may use, lies where
// another user could replace it (support/trusted_path.h).
void CheckTrustedInputs(const Options& options);

}  // namespace hvbench
