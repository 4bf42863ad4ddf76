// Where the host reaches a guest's agent. Launchers make endpoints; only exec_bridge/ opens them.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "runtime_launchers/support/unique_fd.h"

namespace hvbench {

// The agent's standard input and output.
struct PipeEndpoint {
  UniqueFd to_guest;    // writable
  UniqueFd from_guest;  // readable
};

// One connected socket whose incoming direction carries the agent's standard output and standard
// error in turns, each chunk behind the 8-byte header of the Docker Engine API's attached streams.
struct MultiplexedEndpoint {
  UniqueFd socket;
};

// A unix socket that the VMM listens on for a virtio-serial port. There is no sign of the guest's
// end being open: the first reply is that sign.
struct VirtioSerialEndpoint {
  std::string path;
};

// AF_VSOCK of the host's kernel; connecting is refused until the agent listens.
struct VsockEndpoint {
  std::uint32_t cid = 0;
  std::uint32_t port = 0;
};

// A unix socket on which the VMM relays to the guest's vsock ports after a "CONNECT <port>" line.
struct VsockOverUnixEndpoint {
  std::string path;
  std::uint32_t port = 0;
};

// A unix socket on which the agent itself listens.
struct UnixEndpoint {
  std::string path;
};

using Endpoint = std::variant<PipeEndpoint, MultiplexedEndpoint, UnixEndpoint, VirtioSerialEndpoint,
                              VsockEndpoint, VsockOverUnixEndpoint>;

}  // namespace hvbench
