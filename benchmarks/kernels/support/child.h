// Child processes that only end.
#pragma once

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "benchmarks/kernels/support/check.h"

namespace hvbench::agent::kernels {

// For Prepare: the cost of fork follows the pages that this process holds, and kernels that ran
// before may have left free ones in the C library's heap.
inline void ReturnFreeMemory() { malloc_trim(0); }

// Forks, runs `child` there, which must not return and must be async-signal-safe, and waits for it.
// Its exit status, or -1 if a signal ended it.
template <typename Child>
int ExitStatusOf(Child&& child) {
  const pid_t pid = fork();
  if (pid < 0) throw KernelFailed("fork", errno);
  if (pid == 0) {
    child();
    _exit(127);  // not reached
  }
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = waitpid(pid, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  if (reaped != pid) throw KernelFailed("waitpid", errno);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace hvbench::agent::kernels
