# shellcheck shell=bash
# shellcheck disable=SC2034  # the files that source this one read its variables
# What both scripts need: messages, paths, and children that end with the script.
# Sourced, never run. The caller has set -euo pipefail.

# What of the caller's surroundings would change how the shell and the commands below work, or what
# may read the files that are made here. First of all: no function of these scripts is defined yet.
mapfile -t callers_functions < <(compgen -A function)
unset -f "${callers_functions[@]}"
unset callers_functions CDPATH GREP_OPTIONS GREP_COLORS POSIXLY_CORRECT BASH_ENV ENV GLOBIGNORE
set +o posix
export LC_ALL=C.UTF-8
umask 022

HVBENCH_SOURCE_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
readonly HVBENCH_SOURCE_DIR
# As hvbench's own: a bad use or a missing condition, as opposed to a failed measurement.
readonly HVBENCH_EXIT_USAGE=2
readonly HVBENCH_EXIT_INTERRUPTED=130

# What nobody can read any more, on a closed terminal or pipe, is no reason to stop.
say() { printf '==> %s\n' "$*" >&2 || true; }
warn() { printf 'warning: %s\n' "$*" >&2 || true; }

die() {
  printf 'error: %s\n' "$*" >&2 || true
  exit "$HVBENCH_EXIT_USAGE"
}

# From here on a signal ends the script in order, with its EXIT trap, and a closed pipe does not end
# it. What was ignored at the start, as nohup does with HUP, stays so: bash cannot trap it.
end_in_order() {
  trap 'exit "$HVBENCH_EXIT_INTERRUPTED"' HUP INT QUIT TERM
  trap : PIPE
}

# First of an EXIT trap: nothing keeps it from its end. A hang-up comes more than once.
end_undisturbed() {
  set +e
  trap '' HUP INT QUIT TERM
  trap : PIPE
}

is_root() { ((EUID == 0)); }
have() { command -v "$1" >/dev/null 2>&1; }

# Where downloads and the private daemon live: DefaultWorkDir of hvbench
# (runtime_launchers/support/work_dir.h). Under sudo HOME may still be the user's, who must not find
# files of root there.
cache_dir() {
  local dir home
  if [[ ${XDG_CACHE_HOME:-} == /* ]]; then
    dir=$XDG_CACHE_HOME/hvbench
  elif [[ -z ${HOME:-} ]]; then
    dir=/var/cache/hvbench
  else
    home=$HOME
    owned_directory "$home" || home=$(getent passwd "$EUID" | cut -d: -f6)
    if owned_directory "$home"; then dir=$home/.cache/hvbench; else dir=/var/cache/hvbench; fi
  fi
  printf '%s\n' "$dir"
}

owned_directory() { [[ $1 == /* && -d $1 && -O $1 ]]; }

# Ends the script if another user could replace a component of path $1: the rule of hvbench itself
# (runtime_launchers/support/trusted_path.h), but for groups, of which root's alone may write here.
require_trusted() {
  local problem
  problem=$(untrusted_component "$1" 0)
  [[ -z $problem ]] || die "$1 is not safe: $problem"
}

# Prints what is wrong with the first such component, or nothing. $2: how many links led here.
untrusted_component() {
  local rest=$1 at='' name owner group mode target
  (($2 < 40)) || { printf 'too many symbolic links lead to it\n' && return; }
  while :; do
    [[ -e ${at:-/} || -L $at ]] || return 0
    read -r owner group mode < <(stat --format='%u %g %a' -- "${at:-/}")
    if ((owner != 0 && owner != EUID)); then
      printf '%s belongs to user %s: chown -h root %q, or choose another place\n' "${at:-/}" "$owner" "${at:-/}"
      return
    fi
    if [[ -L $at ]]; then
      target=$(readlink -- "$at")
      [[ $target == /* ]] || target=${at%/*}/$target
      untrusted_component "$target/$rest" "$(($2 + 1))"
      return
    fi
    rest=${rest#"${rest%%[!/]*}"}
    # The sticky bit: what is ours in there, nobody else can rename or remove.
    if (((8#$mode & 8#002 || (8#$mode & 8#020 && group != 0 && group != GROUPS[0])) &&
      (!(8#$mode & 8#1000) || ${#rest} == 0))); then
      printf '%s is writable for others: chmod go-w %q, or choose another place\n' "${at:-/}" "${at:-/}"
      return
    fi
    [[ -n $rest ]] || return 0
    name=${rest%%/*}
    rest=${rest#"$name"}
    at=$at/$name
  done
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

# Runs "$@" in a process group of its own, hands that the signals that end_in_order names, and
# returns its status; `interrupted_by` then names the signal. In the foreground bash would handle a
# TERM only after the command's end.
run_with_signals() {
  local status=0 name pid='' woken
  interrupted_by=
  for name in HUP INT QUIT TERM; do
    # shellcheck disable=SC2064  # the name of now is meant
    trap "interrupted_by=$name woken=yes; hand_on $name \"\$pid\"" "$name"
  done
  set -m # a background job then has its own group and does not ignore SIGINT
  "$@" 9>&- & # 9: the lock of dockerd.sh
  pid=$!
  set +m
  [[ -z $interrupted_by ]] || hand_on "$interrupted_by" "$pid"
  while :; do
    woken='' status=0
    wait "$pid" || status=$?
    [[ -n $woken ]] || break # else it is the signal that ended the wait
  done
  end_in_order
  return "$status"
}

# To the process group $2, if there is one yet.
hand_on() { [[ -z $2 ]] || kill "-$1" -- "-$2" 2>/dev/null || true; }

# With sudo, what was built belongs to the user who asked, not to root.
give_back() {
  local path
  if is_root && [[ -n ${SUDO_UID:-} && $SUDO_UID != 0 ]]; then
    for path in "$@"; do
      [[ ! -e $path ]] || chown -hR "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$path"
    done
  fi
}
