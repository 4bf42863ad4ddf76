#include "runtime_launchers/support/interrupt.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "runtime_launchers/support/error.h"

namespace hvbench {
namespace {

// Lock-free, so that a handler may write it; and read by any thread, which sig_atomic_t is not for.
std::atomic<bool> g_interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);
int g_interrupt_fd = -1;

// Async-signal-safe.
void MarkInterrupted() {
  const int saved_errno = errno;
  g_interrupted = true;
  const std::uint64_t one = 1;
  if (g_interrupt_fd >= 0) [[maybe_unused]]
    const ssize_t n = write(g_interrupt_fd, &one, sizeof one);
  errno = saved_errno;
}

// From here on a second signal has its default action: it ends the program.
void HandleSignal(int) {
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  MarkInterrupted();
}

}  // namespace

void CatchInterrupts() {
  g_interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (g_interrupt_fd < 0) throw SystemError("cannot create an eventfd", errno);
  struct sigaction action = {};
  action.sa_handler = HandleSignal;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  for (const int signal_number : {SIGINT, SIGTERM}) {
    if (sigaction(signal_number, &action, nullptr) != 0) {
      throw SystemError("cannot catch signals", errno);
    }
  }
}

bool InterruptRequested() { return g_interrupted; }

int InterruptFd() { return g_interrupt_fd; }

void RequestInterrupt() { MarkInterrupted(); }

}  // namespace hvbench
