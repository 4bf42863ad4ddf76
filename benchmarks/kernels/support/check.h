// Turns a refusal of the system into the exception that says what it means.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include "fixtures/agent/kernel.h"

namespace hvbench::agent::kernels {

// The errnos by which a guest says that it does not offer something at all (a missing system call,
// a seccomp filter, a lacking device, too little memory). Any other is a breakage.
inline bool IsRefusal(int system_error) {
  switch (system_error) {
    case ENOSYS:
    case EPERM:
    case EACCES:
    case EOPNOTSUPP:
    case ENODEV:
    case ENOENT:
    case ENOMEM:
      return true;
    default:
      return false;
  }
}

// For Prepare: Unsupported if the guest refuses, KernelFailed if the call broke.
[[noreturn]] inline void ThrowUnavailable(const std::string& what, int system_error) {
  if (!IsRefusal(system_error)) throw KernelFailed(what, system_error);
  throw Unsupported(what + ": " + std::strerror(system_error), system_error);
}

// For Prepare: passes the result of a system call through, or throws with its errno.
template <typename Result>
Result RequireAvailable(Result result, const char* what) {
  if (result < 0) ThrowUnavailable(what, errno);
  return result;
}

}  // namespace hvbench::agent::kernels
