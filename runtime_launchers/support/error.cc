#include "runtime_launchers/support/error.h"

#include <cstring>

namespace hvbench {

SystemError::SystemError(const std::string& what, int system_error)
    : Error(what + ": " + strerrordesc_np(system_error)), system_error_(system_error) {}

}  // namespace hvbench
