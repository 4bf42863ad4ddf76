// The network peer of this process's kernels: this program in another role, on loopback.
#pragma once

#include <string>

namespace hvbench::agent {

// Where it listens. Started with the first call; ends with this process, whose child it is not, so
// that tests can tell whether a kernel left one.
const std::string& TestPeer();

}  // namespace hvbench::agent
