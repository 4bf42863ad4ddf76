// The kernel's own count of an event in this process, as a second witness that work was done.
// Guests that do not count (gVisor reports 0) are recognized beforehand and then not asked.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <ctime>

#include "benchmarks/kernels/support/mapping.h"

namespace hvbench::agent::kernels {

// Page faults that needed no I/O.
inline std::uint64_t MinorFaults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt);
}

// Voluntary and involuntary ones: sched_yield counts as involuntary.
inline std::uint64_t ContextSwitches() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_nvcsw) + static_cast<std::uint64_t>(usage.ru_nivcsw);
}

// Whether each first touch of a page is one fault here.
inline bool GuestCountsFaults() {
  constexpr std::size_t kProbePages = 64;
  const Mapping probe(kProbePages * kSmallPageBytes, Pages::kSmall);
  const std::uint64_t before = MinorFaults();
  probe.Populate();
  return MinorFaults() - before >= kProbePages;
}

// Whether each sleep is a context switch here.
inline bool GuestCountsSwitches() {
  constexpr std::uint64_t kSleeps = 8;
  const std::uint64_t before = ContextSwitches();
  for (std::uint64_t i = 0; i < kSleeps; ++i) {
    const timespec moment{.tv_sec = 0, .tv_nsec = 1000};
    nanosleep(&moment, nullptr);
  }
  return ContextSwitches() - before >= kSleeps;
}

}  // namespace hvbench::agent::kernels
