# shellcheck shell=bash
# Named steps, run one after the other whether or not one fails, and a summary of them. Step "a-b"
# is the function step_a_b. Sourced after common.sh.

declare -A selected_steps=()
step_results=() # lines of the summary
passed=0
failed=0
skipped=0
# How a step, which is a process of its own, hands over the numbers of its tests.
COUNTS_FILE=$(mktemp)
# A step says with it that it cannot run here. As automake's and ctest's convention has it.
readonly STEP_SKIPPED=77

select_steps() {
  local step
  for step in "$@"; do selected_steps[$step]=yes; done
}

step_is_selected() { [[ -n ${selected_steps[$1]:-} ]]; }

# Both take a list with commas.
only_steps() {
  local -a steps
  local step
  split_steps "$1"
  for step in "${!selected_steps[@]}"; do selected_steps[$step]=; done
  select_steps "${steps[@]}"
}

skip_steps() {
  local -a steps
  local step
  split_steps "$1"
  for step in "${steps[@]}"; do selected_steps[$step]=; done
}

split_steps() {
  local step
  IFS=, read -r -a steps <<<"$1"
  for step in "${steps[@]}"; do
    [[ -v selected_steps[$step] ]] || die "there is no step '$step'; the steps are: ${!selected_steps[*]}"
  done
}

# Ends the current step, with the reason.
skip_step() {
  printf 'skipped: %s\n' "$*"
  exit "$STEP_SKIPPED"
}

run_steps() {
  local step
  for step in "$@"; do
    if step_is_selected "$step"; then run_step "$step"; fi
  done
}

# Runs step $1, and the others one after the other while it does, on what it leaves of the processors.
# What they print comes after it.
run_steps_beside() {
  local -r first=$1
  local log
  shift
  if ! step_is_selected "$first" || ! is_root; then
    run_steps "$first" "$@"
    return
  fi
  log=$(mktemp)
  say "beside the step $first, and printed after it: $*"
  set -m # a group of its own
  steps_beside "$log" "$@" 9>&- & # 9: the lock of dockerd.sh
  beside_pid=$!
  set +m
  run_step "$first"
  wait "$beside_pid" || true
  beside_pid=
  cat "$log"
  # shellcheck source=/dev/null
  if [[ -s $log.results ]]; then source "$log.results"; else ((++failed)); fi
  rm -f "$log" "$log.results"
}

# The summary's numbers and lines of the steps "$2"... are left in the file $1.results.
steps_beside() {
  local -r log=$1
  shift
  exec >"$log" 2>&1 </dev/null
  end_in_order
  chrt --idle --pid 0 "$BASHPID" || renice -n 19 -p "$BASHPID" || true
  COUNTS_FILE=$log.counts
  passed=0 failed=0 skipped=0 step_results=()
  run_steps "$@"
  rm -f "$COUNTS_FILE"
  {
    printf 'passed=$((passed + %d)) failed=$((failed + %d)) skipped=$((skipped + %d))\n' \
      "$passed" "$failed" "$skipped"
    printf 'step_results+=(%s)\n' "${step_results[*]@Q}"
  } >"$log.results"
}

# Ends the steps that still run. For an EXIT trap.
end_steps_beside() {
  [[ -n ${beside_pid:-} ]] || return 0
  kill -TERM "$beside_pid" 2>/dev/null || true
  wait "$beside_pid" 2>/dev/null || true
}

# As a background job of its own: `set -e` holds in it although its status is looked at here, and an
# interruption ends all of it.
run_step() {
  local -r step=$1 started=$SECONDS
  local status verdict
  say "step $step"
  : >"$COUNTS_FILE"
  set +e
  run_with_signals step_body "$step"
  status=$?
  set -e
  if [[ -n ${interrupted_by:-} ]]; then
    warn "interrupted in step $step"
    exit "$HVBENCH_EXIT_INTERRUPTED"
  fi
  case $status in
    0) verdict=passed && ((++passed)) ;;
    "$STEP_SKIPPED") verdict=skipped && ((++skipped)) ;;
    *) verdict="FAILED ($status)" && ((++failed)) ;;
  esac
  add_counts
  step_results+=("$(printf '%-12s %-14s %4d s' "$step" "$verdict" "$((SECONDS - started))")")
}

step_body() {
  set -e
  exec </dev/null
  readonly STEP=$1
  local -a ctest_wrapper=()
  "step_${1//-/_}"
}

# Hands the numbers of a JUnit report to the summary. The report is ours alone to read: ctest's.
count_tests() {
  local -r report=$1
  local name
  [[ -f $report ]] || return 0
  for name in tests failures skipped disabled; do
    grep -m 1 -oE "\\b$name=\"[0-9]+\"" "$report" | grep -oE '[0-9]+'
  done | paste -sd ' ' >>"$COUNTS_FILE"
}

add_counts() {
  local tests failures ignored disabled
  while read -r tests failures ignored disabled; do
    passed=$((passed + tests - failures - ignored - disabled))
    failed=$((failed + failures))
    skipped=$((skipped + ignored + disabled))
  done <"$COUNTS_FILE"
}

# Last of all, and true if nothing failed.
print_summary() {
  printf '\n'
  printf '%s\n' "${step_results[@]}"
  printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  ((failed == 0))
}
