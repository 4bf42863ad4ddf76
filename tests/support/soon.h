// The deadline of what a test waits for and expects at once.
#pragma once

#include <chrono>

#include "runtime_launchers/support/clock.h"

namespace hvbench {

inline Deadline Soon() { return Deadline::In(std::chrono::seconds(10)); }

}  // namespace hvbench
