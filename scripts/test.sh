#!/usr/bin/env bash
# Checks everything on this machine: installs what the tests need, builds, runs them. Ends in a
# summary of the steps and a line "N passed, N failed, N skipped" that counts steps and tests.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
# shellcheck source-path=SCRIPTDIR
source "$HVBENCH_SOURCE_DIR/scripts/lib/packages.sh"
# shellcheck source-path=SCRIPTDIR
source "$HVBENCH_SOURCE_DIR/scripts/lib/build.sh"
# shellcheck source-path=SCRIPTDIR
source "$HVBENCH_SOURCE_DIR/scripts/lib/gvisor.sh"
# shellcheck source-path=SCRIPTDIR
source "$HVBENCH_SOURCE_DIR/scripts/lib/guest_kernel.sh"
# shellcheck source-path=SCRIPTDIR
source "$HVBENCH_SOURCE_DIR/scripts/lib/application_root.sh"
# shellcheck source-path=SCRIPTDIR
source "$HVBENCH_SOURCE_DIR/scripts/lib/dockerd.sh"
# shellcheck source-path=SCRIPTDIR
source "$HVBENCH_SOURCE_DIR/scripts/lib/steps.sh"

# In this order. `test` includes the consumer project and the rules of tests/tidy.
readonly STEPS=(format shellcheck build test lab asan-ubsan tsan clang-tidy fuzz)
readonly BUILD_DIR=$HVBENCH_SOURCE_DIR/build

usage() {
  cat <<EOF
usage: scripts/test.sh [--only STEP[,STEP...]] [--skip STEP[,STEP...]] [--no-install]
steps: ${STEPS[*]}
EOF
}

# The checkout may be another user's, as it is in a container.
sources_of() {
  git -c safe.directory='*' -C "$HVBENCH_SOURCE_DIR" ls-files -- "$@" |
    sed "s|^|$HVBENCH_SOURCE_DIR/|"
}

step_format() {
  local -r formatter=clang-format-$LLVM
  # Another version breaks lines elsewhere.
  [[ $LLVM == "${LLVM_VERSIONS[0]}" ]] || skip_step "needs clang-format-${LLVM_VERSIONS[0]}"
  sources_of '*.cc' '*.h' | xargs "$formatter" --dry-run --Werror
}

step_shellcheck() {
  local -a scripts
  mapfile -t scripts < <(sources_of '*.sh' '.ci/run')
  shellcheck --external-sources "${scripts[@]}"
}

step_build() { configure_preset dev && build_preset dev; }

step_test() { run_ctest test dev --label-exclude '^lab$'; }

step_lab() { run_ctest lab dev --label-regex '^lab$'; }

step_asan_ubsan() { configure_preset asan-ubsan && build_preset asan-ubsan && run_ctest asan-ubsan asan-ubsan; }

# Newer kernels place mappings where the sanitizer of older compilers does not expect them; some
# containers do not allow to switch that off.
step_tsan() {
  ctest_wrapper=(setarch "$(uname -m)" --addr-no-randomize)
  "${ctest_wrapper[@]}" true 2>/dev/null || ctest_wrapper=()
  configure_preset tsan && build_preset tsan && run_ctest tsan tsan
}

# Without the lines that it prints for every file, among which a finding is not seen.
step_clang_tidy() {
  configure_preset tidy -DHVBENCH_CLANG_TIDY_VERSION="$LLVM"
  build_preset tidy 2>&1 | sed -E '/^[0-9]+ warnings? generated|^[^ ]*clang-tidy-[0-9]+ /d'
}

step_fuzz() {
  configure_preset fuzz -DCMAKE_CXX_COMPILER="clang++-$LLVM" -DCMAKE_C_COMPILER="clang-$LLVM" &&
    build_preset fuzz && run_ctest fuzz fuzz
}

# A program with arguments that a step runs ctest by.
ctest_wrapper=()

# run_ctest STEP PRESET [ctest's arguments...]: the counts of its report are added to the summary.
run_ctest() {
  local -r preset=$2
  local report status=0
  report=$(report_of "$1")
  shift 2
  rm -f "$report"
  (cd "$HVBENCH_SOURCE_DIR" &&
    "${ctest_wrapper[@]}" ctest --preset "$preset" --output-junit "$report" "$@") || status=$?
  count_tests "$report"
  return "$status"
}

report_of() { printf '%s/reports/%s.xml\n' "$BUILD_DIR" "$1"; }

# With the end of their output, since the log of a whole run is long.
print_failed_tests() {
  local -a reports=()
  local step
  for step in "${STEPS[@]}"; do
    if step_is_selected "$step"; then reports+=("$(report_of "$step")"); fi
  done
  python3 "$HVBENCH_SOURCE_DIR/scripts/lib/failed_tests.py" "${reports[@]}"
}

install_packages() {
  local -a llvm
  require_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
  want_packages "${RUNTIME_PACKAGES[@]}" "${PEER_PACKAGES[@]}"
  want_packages "${LAB_PACKAGES[@]}"
  LLVM=$(llvm_version)
  mapfile -t llvm < <(llvm_packages "$LLVM")
  require_packages "${llvm[@]}"
}

on_exit() {
  end_undisturbed
  rm -f "$COUNTS_FILE"
  stop_dockerd
  remove_quiet_policy
  give_back "$BUILD_DIR"
}

main() {
  local install=yes
  select_steps "${STEPS[@]}"
  while (($#)); do
    case $1 in
      --only | --skip)
        (($# >= 2)) || { usage >&2 && exit "$HVBENCH_EXIT_USAGE"; }
        "${1#--}_steps" "$2"
        shift
        ;;
      --no-install) install= ;;
      --help) usage && return ;;
      *) usage >&2 && exit "$HVBENCH_EXIT_USAGE" ;;
    esac
    shift
  done
  require_trusted "$(cache_dir)"
  end_in_order
  trap on_exit EXIT
  is_root || warn 'not root: nothing is installed, and runtimes that need root are not tested.'
  if [[ -n $install ]]; then
    install_packages
  else
    LLVM=$(llvm_version)
  fi
  use_installed_runtimes
  if is_root && { step_is_selected test || step_is_selected lab; }; then
    provide_runsc
    provide_guest_kernel
    provide_application_root
    provide_docker "${HVBENCH_RUNSC:-}"
  fi
  mkdir -p "$BUILD_DIR/reports"
  run_steps "${STEPS[@]}"
  stop_dockerd
  print_failed_tests
  print_summary
}

main "$@"
