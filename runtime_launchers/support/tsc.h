// The host's time stamp counter, which an emulated machine shows as its own.
#pragma once

#include <cstdint>

namespace hvbench {

// Its frequency in kHz, measured once against CLOCK_MONOTONIC_RAW within 20 ms; 0 where it is not
// constant, and so no clock.
std::int64_t HostTscKhz();

}  // namespace hvbench
