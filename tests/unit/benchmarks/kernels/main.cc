#include <gtest/gtest.h>

#include <string_view>

#include "fixtures/agent/role.h"

int main(int argc, char** argv) {
  // As the agent's main does: syscall/fork_exec_wait runs this very program.
  if (argc == 2 && argv[1] == std::string_view("--exit")) return 0;
  if (argc > 1 && argv[1] == std::string_view("--role=peer")) {
    return hvbench::agent::FindRole("peer")({argv + 2, argv + argc});
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
