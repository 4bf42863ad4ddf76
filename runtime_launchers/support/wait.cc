#include "runtime_launchers/support/wait.h"

#include <poll.h>

#include <cerrno>

#include "runtime_launchers/support/error.h"
#include "runtime_launchers/support/interrupt.h"

namespace hvbench {

bool WaitReadable(int fd, Deadline deadline, bool interruptible) {
  while (true) {
    if (interruptible && InterruptRequested()) throw Interrupted();
    // poll(2) ignores negative descriptors.
    pollfd fds[] = {{fd, POLLIN, 0}, {interruptible ? InterruptFd() : -1, POLLIN, 0}};
    const int timeout_ms = deadline.RemainingMs();
    const int ready = poll(fds, 2, timeout_ms);
    if (ready < 0 && errno != EINTR) throw SystemError("cannot wait for a descriptor", errno);
    if (ready > 0 && fds[0].revents != 0) return true;
    if (timeout_ms == 0 && ready == 0) return false;
  }
}

void Pause(Deadline::Clock::duration duration, bool interruptible) {
  WaitReadable(-1, Deadline::In(duration), interruptible);
}

}  // namespace hvbench
