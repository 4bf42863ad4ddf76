# shellcheck shell=bash
# What both scripts need: messages, paths, and children that end with the script.
# Sourced, never run. The caller has set -euo pipefail.

# Read by the files that source this one.
# shellcheck disable=SC2034
HVBENCH_SOURCE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly HVBENCH_SOURCE_DIR
# As hvbench's own: a bad use or a missing condition, as opposed to a failed measurement.
readonly HVBENCH_EXIT_USAGE=2

say() { printf '==> %s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit "$HVBENCH_EXIT_USAGE"
}

is_root() { ((EUID == 0)); }
have() { command -v "$1" >/dev/null 2>&1; }

# Where downloads and the private daemon live. Under sudo HOME may still be the user's, who must
# not find files of root there.
cache_dir() {
  local home=${HOME:-/root}
  if is_root; then
    home=$(getent passwd 0 | cut -d: -f6)
  fi
  printf '%s/hvbench\n' "${XDG_CACHE_HOME:-$home/.cache}"
}

# Where install-runtimes.sh installs.
default_runtimes_dir() { printf '%s/runtimes\n' "$(cache_dir)"; }

# What is there, for this script and for the daemons that it starts.
use_installed_runtimes() {
  local -r bin=$(default_runtimes_dir)/bin
  [[ ! -d $bin ]] || export PATH=$bin:$PATH
}

# Runs "$@" until it succeeds, for at most $1 seconds.
wait_until() {
  local tries=$(($1 * 10))
  shift
  while ! "$@"; do
    ((tries-- > 0)) || return 1
    sleep 0.1
  done
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# Runs "$@" in a process group of its own, hands that INT and TERM that reach this script, and
# returns its status; `interrupted_by` then names the signal. In the foreground bash would handle a
# TERM only after the command's end.
run_with_signals() {
  local status=0 name
  set -m # a background job then has its own group and does not ignore SIGINT
  "$@" 9>&- & # 9: the lock of dockerd.sh
  local -r pid=$!
  interrupted_by=
  set +m
  for name in INT TERM; do
    # shellcheck disable=SC2064  # the pid of now is meant
    trap "interrupted_by=$name; kill -$name -- -$pid 2>/dev/null || true" "$name"
  done
  while :; do
    status=0
    wait "$pid" || status=$?
    is_gone "$pid" && break
  done
  trap - INT TERM
  return "$status"
}

# With sudo, what was built belongs to the user who asked, not to root.
give_back() {
  local path
  if is_root && [[ -n ${SUDO_UID:-} && $SUDO_UID != 0 ]]; then
    for path in "$@"; do
      [[ ! -e $path ]] || chown -hR "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$path"
    done
  fi
}
