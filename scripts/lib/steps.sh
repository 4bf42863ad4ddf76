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
readonly COUNTS_FILE
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
