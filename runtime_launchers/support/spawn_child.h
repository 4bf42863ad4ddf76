// The part of Process::Spawn that runs between clone(2) and execve(2).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime_launchers/support/process.h"
#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {

// Starts argv[0] (no PATH look-up) and fills in its pidfd. Throws SystemError, with the failed
// step's errno, if the child could not be made ready or the program not be executed. With a
// `program_fd` that is executed, whatever argv[0] leads to by then; no script.
pid_t SpawnChild(const std::vector<std::string>& argv, const SpawnOptions& options, UniqueFd& pidfd,
                 int program_fd = -1);

// As SpawnPiped of process.h, with a program that is given by descriptor.
PipedProcess SpawnPipedProgram(int program_fd, const std::vector<std::string>& argv,
                               SpawnOptions options);

}  // namespace hvbench
