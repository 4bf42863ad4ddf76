# How an agent is made, here and in projects that use the installed package.

# Links TARGET as one static file without a dynamic loader: the same binary runs in every guest.
function(hvbench_link_statically target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
  target_link_options(${target} PRIVATE -static -no-pie -Wl,--gc-sections
    $<$<NOT:$<CONFIG:Debug>>:-Wl,--strip-all>)
endfunction()

# hvbench_add_agent(TARGET SOURCES kernel.cc...)
#
# A static agent with the built-in kernels and those in SOURCES. Its file is called hvbench-agent:
# a program that calls hvbench::Main finds it beside itself.
function(hvbench_add_agent target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "usage: hvbench_add_agent(TARGET SOURCES kernel.cc...)")
  endif()
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE hvbench::kernels hvbench::agent_main)
  hvbench_link_statically(${target})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME hvbench-agent)
endfunction()
