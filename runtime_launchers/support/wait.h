// Waiting on file descriptors with a deadline.
#pragma once

#include "runtime_launchers/support/deadline.h"

namespace hvbench {

// True once `fd` is readable, at its end, or broken; false at the deadline. Throws Interrupted if
// `interruptible` and the user interrupted the program.
bool WaitReadable(int fd, Deadline deadline, bool interruptible);

// Sleeps; throws Interrupted if `interruptible` and the user interrupted the program.
void Pause(Deadline::Clock::duration duration, bool interruptible);

}  // namespace hvbench
