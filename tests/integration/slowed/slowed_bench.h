// What the launchers of slowed_bench and its kernel agree on: the last bytes of the agent's file.
// The build id stays that of the agent; its loader does not look behind the last section.
#pragma once

#include <cstdint>

namespace hvbench::slowed {

struct Trailer {
  char magic[8] = {'s', 'l', 'o', 'w', 'e', 'd', ':', '\0'};
  std::uint64_t percent = 0;  // of more work
};

}  // namespace hvbench::slowed
