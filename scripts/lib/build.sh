# shellcheck shell=bash
# Configures and builds presets. Sourced after common.sh.

# configure_preset NAME [CMake arguments...]
configure_preset() {
  local -r preset=$1
  shift
  local -a launcher=()
  if have ccache; then
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache)
  fi
  (cd "$HVBENCH_SOURCE_DIR" && cmake --preset "$preset" "${launcher[@]}" "$@")
}

build_preset() { (cd "$HVBENCH_SOURCE_DIR" && cmake --build --preset "$1" --parallel "$(jobs_that_fit)"); }

# One job a processor, but no more than memory allows: a file that uses Asio takes over 1 GiB.
jobs_that_fit() {
  local memory_gib by_memory
  memory_gib=$(awk '$1 == "MemAvailable:" { print int($2 / 1048576) }' /proc/meminfo)
  by_memory=$((memory_gib > 2 ? memory_gib * 2 / 3 : 1))
  printf '%s\n' "$((by_memory < $(nproc) ? by_memory : $(nproc)))"
}
