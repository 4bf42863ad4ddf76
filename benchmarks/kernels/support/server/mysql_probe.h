// The least client of a MySQL server, to ask from within the guest whether it serves.
#pragma once

#include <cstdint>
#include <string>

namespace hvbench::agent::kernels {

// Whether the server on that port of the loopback device lets in `user`, who has no password, and
// answers a query. False as well if it is silent for a few seconds.
bool MySqlAnswers(std::uint16_t port, const std::string& user);

}  // namespace hvbench::agent::kernels
