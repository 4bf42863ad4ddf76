# Build settings as interface targets, so that nothing is set globally.
include(GNUInstallDirs)
include(HvbenchAgent)

# Language level, include root and warnings: every target of this project links it. The warnings end
# where the package does: they are no business of a project that uses it.
add_library(hvbench_build INTERFACE)
target_compile_features(hvbench_build INTERFACE cxx_std_20)
target_include_directories(hvbench_build INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
  $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>)
set(_hvbench_warnings -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wcast-align)
# GCC 12 takes "text" + std::to_string(n) for an overlapping copy (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  list(APPEND _hvbench_warnings -Wno-restrict)
endif()
if(HVBENCH_WARNINGS_AS_ERRORS)
  list(APPEND _hvbench_warnings -Werror)
endif()
target_compile_options(hvbench_build INTERFACE
  "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:${_hvbench_warnings}>>")

# Host-side code only: the agent is static, and the sanitizers' run-times are not.
add_library(hvbench_sanitize INTERFACE)
if(HVBENCH_SANITIZE)
  list(JOIN HVBENCH_SANITIZE "," _hvbench_sanitizers)
  target_compile_options(hvbench_sanitize INTERFACE
    -fsanitize=${_hvbench_sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(hvbench_sanitize INTERFACE -fsanitize=${_hvbench_sanitizers})
  # GCC's ThreadSanitizer does not know the fences in Asio; nothing of ours relies on one.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND "thread" IN_LIST HVBENCH_SANITIZE)
    target_compile_options(hvbench_sanitize INTERFACE -Wno-tsan)
  endif()
endif()
