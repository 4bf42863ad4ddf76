#!/usr/bin/env bash
# What scripts/lib must never do: end a process that is not ours (`kill` only records here), and use
# as root what another user could have put there.
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

# A script of that name, which is about our folder.
mkdir "$dir/scripts"
printf '#!/bin/bash\nread -r -t 30 <><(:) || :\n' >"$dir/scripts/dockerd"
chmod +x "$dir/scripts/dockerd"
"$dir/scripts/dockerd" "$dir/docker/data" &
sleeper=$!
sleep 0.2
test_only_the_program_is_ended() {
  expect_nothing_killed 'a script with the name of a daemon' remove_docker_leftovers "$dir/docker"
}
test_only_the_program_is_ended
builtin kill "$sleeper"
# A command line is not enough: of this very shell it may say anything.
test_this_script_is_never_ended() {
  if ! holds_this_script 1 "$PPID" || ! holds_this_script "$$" || holds_this_script "$sleeper"; then
    printf 'FAILED: this script or its ancestors are not known as such\n'
    exit 1
  fi
  printf 'ok: this script and its ancestors\n'
}
test_this_script_is_never_ended

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

expect_output() {
  local -r case=$1 expected=$2
  local output
  shift 2
  output=$("$@" 2>&1) || true
  [[ $output == *"$expected"* ]] || {
    printf 'FAILED: %s: %s\n' "$case" "$output"
    exit 1
  }
  printf 'ok: %s\n' "$case"
}

cache_with() { env "$@" bash -c ". '$HVBENCH_SOURCE_DIR/scripts/lib/common.sh'; cache_dir"; }

test_where_the_cache_is() {
  mkdir "$dir/home"
  expect_output 'the cache that is named' "$dir/cache/hvbench" cache_with XDG_CACHE_HOME="$dir/cache"
  expect_output 'the cache in this home' "$dir/home/.cache/hvbench" cache_with -u XDG_CACHE_HOME HOME="$dir/home"
  expect_output 'the cache without a home' /var/cache/hvbench cache_with -u XDG_CACHE_HOME -u HOME
  is_root || return 0
  chown 65534 "$dir/home"
  expect_output "another user's home" "$(getent passwd 0 | cut -d: -f6)/.cache/hvbench" \
    cache_with -u XDG_CACHE_HOME HOME="$dir/home"
}

test_a_cache_that_others_could_fill() {
  mkdir -p "$dir/open" "$dir/sticky/ours"
  chmod 777 "$dir/open"
  chmod 1777 "$dir/sticky"
  ln -s open/inner "$dir/link"
  expect_output 'a folder that everybody may write to' 'open is writable for others: chmod go-w' require_trusted "$dir/open/cache"
  expect_output 'such a folder behind a link' 'open is writable for others: chmod go-w' require_trusted "$dir/link/cache"
  expect_output 'a sticky folder itself' 'sticky is writable for others' require_trusted "$dir/sticky"
  expect_output 'our folder in a sticky one' 'nothing wrong.' \
    printf 'nothing wrong%s' "$(untrusted_component "$dir/sticky/ours/missing" 0)."
  is_root || return 0
  mkdir -p "$dir/theirs/ours"
  chown 65534 "$dir/theirs"
  expect_output "another user's folder" 'theirs belongs to user 65534: chown -h root' require_trusted "$dir/theirs/ours"
}

test_cdpath() {
  mkdir -p "$dir/elsewhere/scripts/lib"
  cd "$HVBENCH_SOURCE_DIR"
  # shellcheck disable=SC2016  # the inner shell's
  expect_output 'CDPATH' "is $HVBENCH_SOURCE_DIR." env CDPATH="$dir/elsewhere" \
    bash -c '. scripts/lib/common.sh && echo "is $HVBENCH_SOURCE_DIR."'
}

test_where_the_cache_is
test_a_cache_that_others_could_fill
test_cdpath
