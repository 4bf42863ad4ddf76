#include "runtime_launchers/support/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "runtime_launchers/support/error.h"

namespace hvbench {
namespace {

// People's, those that batch systems warn with before they kill, and what limits and alarms of the
// caller end a program by.
constexpr std::array kSignals = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                 SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU};
constexpr std::int64_t kOneRequestNs = 250'000'000;
// The program promises to end within a second; the last resort may take this much of it.
constexpr std::chrono::milliseconds kLastResortTime{800};

// Lock-free, so that a handler may write it; and read by any thread, which sig_atomic_t is not for.
std::atomic<bool> g_interrupted = false;
std::atomic<bool> g_again = false;
std::atomic<std::int64_t> g_first_signal_ns = 0;  // 0: there was none
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
int g_interrupt_fd = -1;
int g_again_fd = -1;

// Never destroyed: the watchdog outlives the destructors of static objects.
struct LastResort {
  std::mutex mutex;
  std::function<void()> action;
};
LastResort& TheLastResort() {
  static auto* const kLastResort = new LastResort;
  return *kLastResort;
}

// Async-signal-safe, like all that the handler calls.
void Signal(int fd) {
  const std::uint64_t one = 1;
  if (fd >= 0) [[maybe_unused]]
    const ssize_t n = write(fd, &one, sizeof one);
}

void MarkInterrupted() {
  g_interrupted = true;
  Signal(g_interrupt_fd);
}

std::int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void HandleSignal(int signal_number) {
  const int saved_errno = errno;
  const std::int64_t now_ns = NowNs();
  std::int64_t first_ns = 0;
  if (g_first_signal_ns.compare_exchange_strong(first_ns, now_ns)) {
    MarkInterrupted();
  } else if (signal_number != SIGHUP && now_ns - first_ns > kOneRequestNs) {
    g_again = true;
    Signal(g_again_fd);
  }
  errno = saved_errno;
}

bool AwaitReadable(int fd) {
  pollfd wanted{fd, POLLIN, 0};
  while (poll(&wanted, 1, -1) != 1) {
    if (errno != EINTR) return false;
  }
  return true;
}

// A terminal that is stopped (Ctrl-S) or a full pipe must not stop the watchdog.
void Print(const std::string& notice) {
  pollfd standard_error{STDERR_FILENO, POLLOUT, 0};
  if (poll(&standard_error, 1, 0) != 1 || (standard_error.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, notice.data(), notice.size());
}

void RunLastResort() {
  std::function<void()> action;
  {
    const std::lock_guard lock(TheLastResort().mutex);
    action = TheLastResort().action;
  }
  if (!action) return;
  // It may hang, in the kernel or on a daemon.
  auto done = std::make_shared<std::promise<void>>();
  const std::future<void> end = done->get_future();
  std::thread([action = std::move(action), done] {
    try {
      action();
    } catch (const std::exception&) {
      // Nobody is left to tell; the next start finds what is left.
    }
    done->set_value();
  }).detach();
  end.wait_for(kLastResortTime);
}

// A thread of its own, since any other may be stuck.
void Watch(const std::string& notice) {
  if (!AwaitReadable(g_interrupt_fd)) return;
  Print(notice);
  if (!AwaitReadable(g_again_fd)) return;
  RunLastResort();
  _exit(kInterruptedStatus);
}

void StartWatchdog(std::string notice) {
  sigset_t all;
  sigset_t saved;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &saved);
  std::thread([notice = std::move(notice)] { Watch(notice); }).detach();
  pthread_sigmask(SIG_SETMASK, &saved, nullptr);
}

void Catch(int signal_number) {
  struct sigaction before = {};
  struct sigaction action = {};
  action.sa_handler = HandleSignal;
  sigemptyset(&action.sa_mask);
  for (const int other : kSignals) sigaddset(&action.sa_mask, other);
  if (sigaction(signal_number, nullptr, &before) != 0 ||
      (before.sa_handler != SIG_IGN && sigaction(signal_number, &action, nullptr) != 0)) {
    throw SystemError("cannot catch signals", errno);
  }
}

}  // namespace

void CatchInterrupts(std::string notice) {
  for (int* const fd : {&g_interrupt_fd, &g_again_fd}) {
    *fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (*fd < 0) throw SystemError("cannot create an eventfd", errno);
  }
  StartWatchdog(std::move(notice));
  for (const int signal_number : kSignals) Catch(signal_number);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

void SetLastResort(std::function<void()> last_resort) {
  const std::lock_guard lock(TheLastResort().mutex);
  TheLastResort().action = std::move(last_resort);
}

void AwaitLastResort() {
  while (g_again) pause();
}

bool InterruptRequested() { return g_interrupted; }

int InterruptFd() { return g_interrupt_fd; }

void RequestInterrupt() { MarkInterrupted(); }

}  // namespace hvbench
