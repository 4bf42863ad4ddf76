# System packages first. Each missing one is named together with the Debian package that has it.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

macro(hvbench_require package debian_package)
  find_package(${package} ${ARGN} QUIET)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "hvbench needs ${package}: apt-get install ${debian_package}")
  endif()
endmacro()

# The two that change most between distributions may also be downloaded, if the user says so.
macro(hvbench_require_or_fetch package debian_package source)
  if(HVBENCH_FETCH_DEPENDENCIES)
    find_package(${package} QUIET)
    if(NOT ${package}_FOUND)
      include(HvbenchFetch)
      FetchContent_MakeAvailable(${source})
    endif()
  else()
    hvbench_require(${package} "${debian_package}, or -DHVBENCH_FETCH_DEPENDENCIES=ON")
  endif()
endmacro()

hvbench_require_or_fetch(benchmark libbenchmark-dev benchmark)
hvbench_require(Boost libboost-dev 1.74)
hvbench_require(nlohmann_json nlohmann-json3-dev)
hvbench_require(CLI11 libcli11-dev)
hvbench_require(LibArchive libarchive-dev)
hvbench_require(OpenSSL libssl-dev)
pkg_check_modules(mariadb QUIET IMPORTED_TARGET libmariadb)
if(NOT mariadb_FOUND)
  message(FATAL_ERROR "hvbench needs libmariadb: apt-get install libmariadb-dev")
endif()
# containerd's API is gRPC: HTTP/2 and protobuf.
include(HvbenchGrpc)
# Kata's configuration is TOML. Only the headers: a consumer need not have the library.
find_path(HVBENCH_TOMLPLUSPLUS_INCLUDE toml++/toml.h)
mark_as_advanced(HVBENCH_TOMLPLUSPLUS_INCLUDE)
if(NOT HVBENCH_TOMLPLUSPLUS_INCLUDE)
  message(FATAL_ERROR "hvbench needs toml++: apt-get install libtomlplusplus-dev")
endif()
# Draws the charts of a report, which has it inside.
find_file(HVBENCH_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js NO_DEFAULT_PATH
  DOC "Chart.js 3 as one file")
if(NOT HVBENCH_CHART_JS)
  message(FATAL_ERROR "hvbench needs Chart.js: apt-get install libjs-chart.js, "
    "or -DHVBENCH_CHART_JS=FILE")
endif()
if(HVBENCH_BUILD_TESTS)
  hvbench_require_or_fetch(GTest "libgtest-dev libgmock-dev" googletest)
endif()

# The agent's libraries, as static archives.
include(HvbenchStaticLibrary)
hvbench_require_static(nettle libnettle.a nettle/sha2.h nettle-dev)
hvbench_require_static(aio libaio.a libaio.h libaio-dev)
hvbench_require_static(uring liburing.a liburing.h liburing-dev)
hvbench_require_static(zstd libzstd.a zstd.h libzstd-dev)
