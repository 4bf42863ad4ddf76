# Installs hvbench, builds example/ against that, and uses what it added. Run with cmake -P and
#   -DBINARY_DIR= the build that is installed   -DEXAMPLE_DIR=   -DWORK_DIR= made anew
cmake_minimum_required(VERSION 3.25)

function(run out)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE output ERROR_VARIABLE error RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "status ${status} of: ${ARGN}\n${output}\n${error}")
  endif()
  set(${out} "${output}" PARENT_SCOPE)
endfunction()

function(expect_line lines wanted)
  string(REPLACE "\n" ";" lines "${lines}")
  if(NOT wanted IN_LIST lines)
    message(FATAL_ERROR "no line '${wanted}' in:\n${lines}")
  endif()
endfunction()

# Every row of the report: measured, not skipped, not failed.
function(expect_measured json name)
  string(JSON count LENGTH "${json}" benchmarks)
  math(EXPR last "${count} - 1")
  foreach(i RANGE ${last})
    string(JSON row GET "${json}" benchmarks ${i})
    string(JSON row_name GET "${row}" name)
    if(row_name STREQUAL name)
      string(JSON failed ERROR_VARIABLE absent GET "${row}" error_occurred)
      if(absent STREQUAL "NOTFOUND" AND failed)
        message(FATAL_ERROR "${name} was not measured:\n${row}")
      endif()
      string(JSON time GET "${row}" real_time)
      if(time LESS_EQUAL 0)
        message(FATAL_ERROR "${name} took no time:\n${row}")
      endif()
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "no row '${name}' in:\n${json}")
endfunction()

file(REMOVE_RECURSE "${WORK_DIR}")
run(ignored "${CMAKE_COMMAND}" --install "${BINARY_DIR}" --prefix "${WORK_DIR}/prefix")
run(version "${WORK_DIR}/prefix/bin/hvbench" --version)

run(ignored "${CMAKE_COMMAND}" -S "${EXAMPLE_DIR}" -B "${WORK_DIR}/build" -G Ninja
  -DCMAKE_BUILD_TYPE=Release "-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix")
run(ignored "${CMAKE_COMMAND}" --build "${WORK_DIR}/build" --parallel 2)

# The build may lie in another user's folder, where no work directory may be.
run(temporary mktemp --directory)
string(STRIP "${temporary}" temporary)
set(bench "${WORK_DIR}/build/consumer_bench" "--hvbench_runtimes=native,nice"
  --hvbench_profile=smoke "--hvbench_work_dir=${temporary}/work")
set(native "cpu/collatz/limit:100/runtime:native/manual_time")
set(nice "cpu/collatz/limit:100/runtime:nice/manual_time")

run(list ${bench} --benchmark_list_tests)
expect_line("${list}" "${native}")
expect_line("${list}" "${nice}")

run(ignored ${bench} --benchmark_filter=^cpu/collatz/ "--benchmark_out=${WORK_DIR}/result.json"
  --benchmark_out_format=json)
file(READ "${WORK_DIR}/result.json" json)
expect_measured("${json}" "${native}")
expect_measured("${json}" "${nice}")
file(REMOVE_RECURSE "${temporary}")
