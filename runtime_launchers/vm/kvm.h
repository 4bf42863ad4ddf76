// Whether this machine runs KVM guests.
#pragma once

#include <filesystem>
#include <optional>

#include "runtime_launchers/support/unusable.h"

namespace hvbench {

// Nothing if it does: the CPU shows the extension, and a guest of a few instructions has just done
// what it should, within a second. A device that can be opened proves nothing. Asked once for the
// program's life; `device` is for tests.
std::optional<Unusable> CheckKvm();
std::optional<Unusable> CheckKvmDevice(const std::filesystem::path& device);

}  // namespace hvbench
