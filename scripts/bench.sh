#!/usr/bin/env bash
# Measures every runtime that is usable on this machine: installs what is missing, builds, runs.
# Takes every flag of hvbench; what is given replaces the defaults set here.
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

readonly BUILD_DIR=$HVBENCH_SOURCE_DIR/build
RESULT=$BUILD_DIR/results/hvbench-$(date -u +%Y%m%dT%H%M%SZ).json
readonly RESULT

on_exit() {
  end_undisturbed
  stop_dockerd
  remove_quiet_policy
  give_back "$BUILD_DIR"
}

# The flag may be given as BENCHMARK_OUT=... too.
has_flag() {
  local -r flag=$1
  local variable=${flag#--}
  local word
  variable=${variable^^}
  [[ $variable != BENCHMARK_* || ! -v $variable ]] || return 0
  shift
  for word in "$@"; do
    [[ $word != "$flag" && $word != "$flag="* ]] || return 0
  done
  return 1
}

# True for a command line that measures, as opposed to `doctor`, `cleanup`, --help.
measures() {
  [[ $# == 0 || $1 == -* ]] && ! has_flag --help "$@" && ! has_flag -h "$@" &&
    ! has_flag --version "$@" && ! has_flag --benchmark_list_tests "$@"
}

# Fills `arguments`: the defaults that the user did not override, then the user's words.
set_arguments() {
  arguments=()
  if measures "$@"; then
    has_flag --hvbench_profile "$@" || arguments+=(--hvbench_profile=quick)
    if ! has_flag --benchmark_out "$@"; then
      mkdir -p "${RESULT%/*}"
      arguments+=("--benchmark_out=$RESULT")
    fi
    has_flag --benchmark_out_format "$@" || arguments+=(--benchmark_out_format=json)
  fi
  arguments+=("$@")
}

install_and_build() {
  require_packages "${BUILD_PACKAGES[@]}"
  want_packages "${RUNTIME_PACKAGES[@]}"
  say 'building hvbench'
  mkdir -p "$BUILD_DIR"
  { configure_preset release && build_preset release; } >"$BUILD_DIR/bench-build.log" 2>&1 || {
    tail -n 30 "$BUILD_DIR/bench-build.log" >&2
    die "hvbench does not build; the whole log is $BUILD_DIR/bench-build.log"
  }
}

main() {
  local -a arguments
  local status=0
  require_trusted "$(cache_dir)"
  end_in_order
  trap on_exit EXIT
  is_root ||
    warn 'not root: nothing is installed, and runtimes that need root (most do) are not measured.'
  install_and_build
  use_installed_runtimes
  if is_root; then
    provide_runsc
    provide_guest_kernel
    provide_application_root
    provide_docker "${HVBENCH_RUNSC:-}"
  fi
  set_arguments "$@"
  # The death signal: a killed script leaves no run behind that nobody watches.
  run_with_signals setpriv --pdeathsig TERM "$BUILD_DIR/release/bin/hvbench" "${arguments[@]}" ||
    status=$?
  if [[ -e $RESULT ]]; then
    say "results: $RESULT"
    "$BUILD_DIR/release/bin/hvbench" report "$RESULT" --output="${RESULT%.json}.html" &&
      say "report:  ${RESULT%.json}.html"
  fi
  return "$status"
}

main "$@"
