#!/usr/bin/env bash
# What the scripts must not depend on: the surroundings of whoever calls them.
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
  printf 'FAILED: %s\n' "$*"
  exit 1
}

# Folders of the same names where `cd` would look first.
mkdir -p "$dir/scripts/lib" "$dir/tests/lab"
printf 'IFS=,; GLOBIGNORE=*\n' >"$dir/bash_env"
cd "$root"

# A caller's functions are named like commands that the scripts use, and exported.
test_the_callers_environment() {
  local expected actual surroundings
  # shellcheck disable=SC2317
  cd() { printf 'a function of the caller\n'; }
  # shellcheck disable=SC2317
  grep() { return 3; }
  export -f cd grep
  # shellcheck disable=SC2016  # for the shell that is started
  local -r script='set -euo pipefail; source scripts/lib/common.sh
    printf "%s\n" "$HVBENCH_SOURCE_DIR" "$(umask)" "$(printf %.1f 0.5)" "${CDPATH-}${BASH_ENV-}"
    printf "a\nb\n" | grep -c a'
  expected=$(printf '%s\n' "$root" 0022 0.5 '' 1)
  for surroundings in CDPATH="$dir" GREP_OPTIONS=--invert-match LC_ALL=de_DE.UTF-8 \
    TZ=Asia/Kolkata POSIXLY_CORRECT=1 BASH_ENV="$dir/bash_env" ENV="$dir/bash_env" 'IFS=,' \
    GLOBIGNORE='*'; do
    actual=$(umask 0777 && env "$surroundings" bash -c "$script" 2>"$dir/errors") || true
    [[ $actual == "$expected" ]] ||
      fail "$surroundings: '$actual' instead of '$expected'; $(<"$dir/errors")"
    printf 'ok: %s\n' "${surroundings%%=*}"
  done
  unset -f cd grep
}

test_scripts_by_a_relative_path() {
  local program
  for program in scripts/install-runtimes.sh scripts/test.sh tests/lab/lab.sh; do
    CDPATH=$dir bash "$program" --help >"$dir/help" 2>&1 || fail "$program: $(<"$dir/help")"
    [[ $(<"$dir/help") == usage:* ]] || fail "$program --help prints $(<"$dir/help")"
    printf 'ok: %s\n' "$program"
  done
}

test_a_daemons_priority() {
  local actual
  if ((EUID != 0)); then
    printf 'skipped: only root may raise a priority\n'
    return
  fi
  # shellcheck disable=SC2016  # for the shell that is started
  actual=$(ulimit -S -n 64 && nice -n 10 chrt --batch 0 ionice --class idle bash -c '
    source scripts/lib/common.sh && source scripts/lib/dockerd.sh
    (enter_usual_priority && nice && ionice && chrt --pid "$BASHPID" | head -n 1 && ulimit -n)')
  [[ $actual == $'0\nnone: prio 0\n'*SCHED_OTHER$'\n'* && $actual != *$'\n64' ]] ||
    fail "a daemon's priority: $actual"
  printf "ok: a daemon's priority\n"
}

test_the_callers_environment
test_a_daemons_priority
test_scripts_by_a_relative_path
