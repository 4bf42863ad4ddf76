# The installed package: find_package(hvbench) gives hvbench::<name> for every library below.
include(CMakePackageConfigHelpers)

set(_hvbench_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/hvbench")
# The tree's own include paths ("fixtures/agent/kernel.h") are too general for a shared folder.
set(_hvbench_include_dir "${CMAKE_INSTALL_INCLUDEDIR}/hvbench")
set(_hvbench_libraries
  build sanitize protocol agent_kernel agent_main kernels launchers fixtures suite)

foreach(_name IN LISTS _hvbench_libraries)
  set_target_properties(hvbench_${_name} PROPERTIES EXPORT_NAME ${_name})
  install(TARGETS hvbench_${_name} EXPORT hvbench
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    OBJECTS DESTINATION "${CMAKE_INSTALL_LIBDIR}/hvbench"
    INCLUDES DESTINATION "${_hvbench_include_dir}")
endforeach()
install(EXPORT hvbench NAMESPACE hvbench:: DESTINATION "${_hvbench_package_dir}"
  FILE hvbenchTargets.cmake)

# The public headers, and no others: what a project of one's own includes, ...
set(_hvbench_public_headers
  benchmarks/suite.h
  fixtures/agent/kernel.h
  runtime_launchers/launcher.h
  runtime_launchers/process_guest.h
  # ... and what these include (the rule public_headers of tests/tidy finds what is missing).
  fixtures/agent/clock.h
  fixtures/protocol/frame.h
  fixtures/protocol/messages.h
  runtime_launchers/endpoint.h
  runtime_launchers/guest_application.h
  runtime_launchers/guest_image.h
  runtime_launchers/support/bounded_log.h
  runtime_launchers/support/cgroup.h
  runtime_launchers/support/cgroup_mounts.h
  runtime_launchers/support/clock.h
  runtime_launchers/support/deadline.h
  runtime_launchers/support/error.h
  runtime_launchers/support/guest_network.h
  runtime_launchers/support/identity.h
  runtime_launchers/support/log_tail.h
  runtime_launchers/support/process.h
  runtime_launchers/support/process_state.h
  runtime_launchers/support/unique_fd.h
  runtime_launchers/support/unusable.h)
foreach(_header IN LISTS _hvbench_public_headers)
  get_filename_component(_dir "${_header}" DIRECTORY)
  install(FILES "${_header}" DESTINATION "${_hvbench_include_dir}/${_dir}")
endforeach()

install(TARGETS hvbench RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
# Nobody starts them by hand: hvbench looks for them here, seen from its own folder.
install(TARGETS hvbench-agent hvbench-load RUNTIME DESTINATION libexec/hvbench)
# What the program knows of its own flags.
foreach(_command "manual hvbench.1" "completion bash hvbench.bash")
  separate_arguments(_command)
  list(POP_BACK _command _file)
  add_custom_command(OUTPUT "${PROJECT_BINARY_DIR}/${_file}"
    COMMAND hvbench ${_command} > "${PROJECT_BINARY_DIR}/${_file}" DEPENDS hvbench VERBATIM)
  list(APPEND _hvbench_printed "${PROJECT_BINARY_DIR}/${_file}")
endforeach()
add_custom_target(hvbench_printed ALL DEPENDS ${_hvbench_printed})
install(FILES "${PROJECT_BINARY_DIR}/hvbench.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${PROJECT_BINARY_DIR}/hvbench.bash" RENAME hvbench
  DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
install(FILES README.md CHANGELOG.md LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY docs DESTINATION "${CMAKE_INSTALL_DOCDIR}")

configure_package_config_file(cmake/hvbenchConfig.cmake.in
  "${PROJECT_BINARY_DIR}/hvbenchConfig.cmake" INSTALL_DESTINATION "${_hvbench_package_dir}")
# Below 1.0 a minor version may break.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/hvbenchConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/hvbenchConfig.cmake"
  "${PROJECT_BINARY_DIR}/hvbenchConfigVersion.cmake"
  cmake/HvbenchAgent.cmake
  cmake/HvbenchGrpc.cmake
  cmake/HvbenchStaticLibrary.cmake
  DESTINATION "${_hvbench_package_dir}")
