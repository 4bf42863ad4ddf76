#include <gtest/gtest.h>

#include <string_view>

int main(int argc, char** argv) {
  // As the agent's main does: syscall/fork_exec_wait runs this very program.
  if (argc == 2 && argv[1] == std::string_view("--exit")) return 0;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
