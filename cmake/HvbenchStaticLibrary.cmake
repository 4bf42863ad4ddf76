# hvbench_require_static(NAME LIBRARY HEADER DEBIAN_PACKAGE) makes the imported target hvbench_NAME
# of a static library that the agent links.
function(hvbench_require_static name library header debian_package)
  if(TARGET hvbench_${name})
    return()
  endif()
  find_library(HVBENCH_${name}_LIBRARY NAMES ${library})
  find_path(HVBENCH_${name}_INCLUDE NAMES ${header})
  mark_as_advanced(HVBENCH_${name}_LIBRARY HVBENCH_${name}_INCLUDE)
  if(NOT HVBENCH_${name}_LIBRARY OR NOT HVBENCH_${name}_INCLUDE)
    message(FATAL_ERROR "hvbench needs ${library}: apt-get install ${debian_package}")
  endif()
  add_library(hvbench_${name} STATIC IMPORTED GLOBAL)
  set_target_properties(hvbench_${name} PROPERTIES
    IMPORTED_LOCATION "${HVBENCH_${name}_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${HVBENCH_${name}_INCLUDE}")
endfunction()
