#!/usr/bin/env bash
# What scripts/lib must never do: end a process that is not ours. `kill` only records here.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source-path=SCRIPTDIR
source "$HVBENCH_SOURCE_DIR/scripts/lib/dockerd.sh"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
killed=$dir/killed
# Called by the functions under test.
# shellcheck disable=SC2317
kill() { printf '%s\n' "$*" >>"$killed"; }

expect_nothing_killed() {
  local -r case=$1
  shift
  : >"$killed"
  "$@"
  if [[ -s $killed ]]; then
    printf 'FAILED: %s: kill %s\n' "$case" "$(<"$killed")"
    exit 1
  fi
  printf 'ok: %s\n' "$case"
}

expect_nothing_killed 'no folder of containers' kill_containers "$dir/none"
mkdir "$dir/containers"
expect_nothing_killed 'an empty folder of containers' kill_containers "$dir/containers"
mkdir "$dir/containers/"{'*',.,1,docker,system.slice,user} 2>/dev/null || true
expect_nothing_killed 'names that are no identifiers' kill_containers "$dir/containers"
mkdir "$dir/containers/$(printf '%064d' 7)"
expect_nothing_killed 'a container without processes' kill_containers "$dir/containers"
expect_nothing_killed 'an unused folder of the daemon' remove_docker_leftovers "$dir/docker"

# A process of that name, but without our folder in its command line.
cp "$(command -v sleep)" "$dir/dockerd"
"$dir/dockerd" 30 &
sleeper=$!
sleep 0.2
expect_nothing_killed 'another daemon' remove_docker_leftovers "$dir/docker"
builtin kill "$sleeper"

# And that they do end what is ours.
mkdir "$dir/docker"
cp "$dir/dockerd" "$dir/docker/dockerd"
"$dir/docker/dockerd" 30 &
sleeper=$!
sleep 0.2
[[ $(processes_of dockerd "$dir/docker") == "$sleeper" ]] || {
  printf 'FAILED: our own daemon is not found\n'
  exit 1
}
builtin kill "$sleeper"
printf 'ok: our own daemon\n'
