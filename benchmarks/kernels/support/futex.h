// The futex system call, as the timed kernels use it: private to the process, without a timeout.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace hvbench::agent::kernels {

// Returns at once if the word is not `expected`; may return without a wake.
inline void FutexWait(const std::atomic<std::uint32_t>& word, std::uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

// The number of threads that it woke, or -1.
inline long FutexWake(const std::atomic<std::uint32_t>& word, int at_most) {
  return syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, at_most, nullptr, nullptr, 0);
}

}  // namespace hvbench::agent::kernels
