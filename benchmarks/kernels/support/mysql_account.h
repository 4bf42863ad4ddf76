// What the MySQL server in a guest and its clients outside of it agree on.
#pragma once

#include <cstdint>
#include <string>

#include "benchmarks/kernels/support/random.h"

namespace hvbench::agent::kernels {

inline constexpr std::uint16_t kMySqlPort = 3306;
inline constexpr char kMySqlUser[] = "hvbench";

// Another one for each seed. It keeps no secret: only the suite's own network reaches the server.
inline std::string MySqlPassword(std::uint64_t seed) {
  return "hvbench-" + std::to_string(Mix(seed ^ kMySqlPort));
}

}  // namespace hvbench::agent::kernels
