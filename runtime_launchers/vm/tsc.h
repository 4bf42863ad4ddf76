// The host's time stamp counter, which an emulated machine shows as its own, and which a guest
// without a machine of its own reads itself.
#pragma once

#include <cstdint>
#include <filesystem>

namespace hvbench {

// Its frequency in kHz, measured once against CLOCK_MONOTONIC_RAW within 20 ms, to some 10 ppm; 0
// where it is not constant, and so no clock, or may not be read.
std::int64_t HostTscKhz();

// Whether the host's kernel itself keeps time by it, which it does only while it finds the counters
// of all CPUs in step, and it goes on in deep sleep. `root` is for tests.
bool HostKeepsTimeByTsc(const std::filesystem::path& root = "/");

// The counter now, read behind all instructions before it.
std::uint64_t ReadHostTsc();

// One moment by both clocks: MonotonicRawNs, and the counter. They are read within some 100 ns of
// each other, the closest of a few tries, since a busy host interrupts some.
struct TscMoment {
  std::int64_t ns = 0;
  std::int64_t tsc = 0;
};
TscMoment ReadTscMoment();

}  // namespace hvbench
