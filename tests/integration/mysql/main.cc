#include <gtest/gtest.h>

#include <cstdio>

#include "tests/integration/mysql/private_root.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (const std::string problem = hvbench::agent::PrivateRoot::Problem(); !problem.empty()) {
    std::printf("skipped: %s\n", problem.c_str());
    return HVBENCH_SKIP_STATUS;
  }
  return RUN_ALL_TESTS();
}
