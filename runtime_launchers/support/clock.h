// The host's clock for launch phases and for every interval that is compared with a guest's.
#pragma once

#include <time.h>

#include <cstdint>

namespace hvbench {

// CLOCK_MONOTONIC_RAW, nanoseconds: not slewed, so comparable with a guest's raw clock.
inline std::int64_t MonotonicRawNs() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC_RAW, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

}  // namespace hvbench
