# hvbench_unit_test(TARGET SOURCE...) makes a program of unit tests.
include_guard(GLOBAL)
include(GoogleTest)

# The agent is static, and so its libraries are without sanitizers. For the tests the same sources
# are built with them, and come before the archives that have them without.
add_library(hvbench_guest_side_for_tests OBJECT
  ${PROJECT_SOURCE_DIR}/fixtures/protocol/frame.cc
  ${PROJECT_SOURCE_DIR}/fixtures/protocol/messages.cc
  ${PROJECT_SOURCE_DIR}/fixtures/agent/affinity.cc
  ${PROJECT_SOURCE_DIR}/fixtures/agent/batch.cc
  ${PROJECT_SOURCE_DIR}/fixtures/agent/clock.cc
  ${PROJECT_SOURCE_DIR}/fixtures/agent/guest_facts.cc
  ${PROJECT_SOURCE_DIR}/fixtures/agent/guest_stream.cc
  ${PROJECT_SOURCE_DIR}/fixtures/agent/kernel.cc
  ${PROJECT_SOURCE_DIR}/fixtures/agent/machine.cc
  ${PROJECT_SOURCE_DIR}/fixtures/agent/network.cc
  ${PROJECT_SOURCE_DIR}/fixtures/agent/process_state.cc
  ${PROJECT_SOURCE_DIR}/fixtures/agent/session.cc)
target_compile_definitions(hvbench_guest_side_for_tests PRIVATE HVBENCH_VERSION="${PROJECT_VERSION}")
target_link_libraries(hvbench_guest_side_for_tests PUBLIC hvbench_build hvbench_sanitize)

function(hvbench_unit_test target)
  add_executable(${target} ${ARGN})
  target_compile_definitions(${target} PRIVATE HVBENCH_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE
    hvbench_guest_side_for_tests hvbench_fixtures hvbench_sanitize nlohmann_json::nlohmann_json
    GTest::gtest_main)
  gtest_discover_tests(${target} TEST_PREFIX unit. DISCOVERY_MODE PRE_TEST PROPERTIES LABELS unit)
endfunction()
