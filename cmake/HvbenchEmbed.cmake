# hvbench_embed(TARGET NAMESPACE FUNCTION FILE ...) compiles files into a target. Each FUNCTION of
# the NAMESPACE returns a std::string_view of its FILE.
#
# This file is also the script that writes the source at build time: cmake -P with INPUT, OUTPUT,
# NAMESPACE and FUNCTION.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ "${INPUT}" _bytes HEX)
  file(SIZE "${INPUT}" _size)
  string(REGEX REPLACE "(................................)" "\\1\n" _bytes "${_bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," _bytes "${_bytes}")
  file(WRITE "${OUTPUT}" "#include <string_view>
namespace ${NAMESPACE} {
namespace {
constexpr unsigned char kBytes[] = {
${_bytes}0};
}  // namespace
std::string_view ${FUNCTION}();
std::string_view ${FUNCTION}() { return {reinterpret_cast<const char*>(kBytes), ${_size}}; }
}  // namespace ${NAMESPACE}
")
  return()
endif()

set(_hvbench_embed_script "${CMAKE_CURRENT_LIST_FILE}")

function(hvbench_embed target namespace)
  set(_pairs ${ARGN})
  while(_pairs)
    list(POP_FRONT _pairs _function _file)
    get_filename_component(_file "${_file}" ABSOLUTE)
    set(_source "${CMAKE_CURRENT_BINARY_DIR}/embedded/${_function}.cc")
    add_custom_command(OUTPUT "${_source}"
      COMMAND "${CMAKE_COMMAND}" "-DINPUT=${_file}" "-DOUTPUT=${_source}"
        "-DNAMESPACE=${namespace}" -DFUNCTION=${_function} -P "${_hvbench_embed_script}"
      DEPENDS "${_file}" "${_hvbench_embed_script}"
      COMMENT "Embedding ${_file}"
      VERBATIM)
    target_sources(${target} PRIVATE "${_source}")
    set_source_files_properties("${_source}" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endwhile()
endfunction()
