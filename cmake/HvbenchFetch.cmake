# Sources of the dependencies that HVBENCH_FETCH_DEPENDENCIES may download, pinned to a commit.
include(FetchContent)

# Ours is the only use: no tests of theirs, and nothing that needs another download.
set(BENCHMARK_ENABLE_TESTING OFF)
set(BENCHMARK_ENABLE_GTEST_TESTS OFF)
set(BENCHMARK_ENABLE_WERROR OFF)
set(INSTALL_GTEST OFF)

# As find_package would set it: flags differ between versions.
set(benchmark_VERSION 1.9.4)
FetchContent_Declare(benchmark
  GIT_REPOSITORY https://github.com/google/benchmark.git
  GIT_TAG eddb0241389718a23a42db6af5f0164b6e0139af
  SYSTEM)
FetchContent_Declare(googletest
  GIT_REPOSITORY https://github.com/google/googletest.git
  GIT_TAG 6910c9d9165801d8827d628cb72eb7ea9dd538c5 # 1.16.0
  SYSTEM)
