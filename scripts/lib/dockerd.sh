# shellcheck shell=bash
# A private Docker daemon for the time of the script, where none runs, and with it the containerd
# that it starts. Sourced after common.sh.
# Everything of it lies below $(cache_dir)/docker, which is also how its processes are recognized.

readonly DOCKERD_START_SECONDS=60
# dockerd itself gives containers 15 seconds to end.
readonly DOCKERD_STOP_SECONDS=30

docker_answers() { curl --silent --fail --max-time 5 --unix-socket "$1" http://docker/_ping >/dev/null 2>&1; }

# Exports DOCKER_HOST and CONTAINERD_ADDRESS. Always succeeds: without a daemon, what needs one is
# reported as unusable by hvbench.
# $1 names the runsc to register, or is empty. HVBENCH_DOCKER_CGROUP_DRIVER chooses between dockerd's two.
provide_docker() {
  local -r given=${DOCKER_HOST:-unix:///run/docker.sock}
  if [[ $given != unix://* ]] || docker_answers "${given#unix://}"; then
    return
  fi
  if ! is_root || ! have dockerd || ! have curl; then
    warn 'no Docker daemon runs, and none can be started: Docker is not measured.'
    return
  fi
  start_dockerd "$(cache_dir)/docker" "${1:-}"
}

start_dockerd() {
  local -r dir=$1
  local -a options=(--data-root="$dir/data" --exec-root="$dir/exec" --pidfile="$dir/pid"
    --host="unix://$dir/sock" --config-file="$dir/daemon.json" --iptables=false --bridge=none)
  # containerd's socket, the longest path, must fit into sockaddr_un.
  if ((${#dir} > 60)); then
    warn "$dir is too long a path for Docker's sockets; set XDG_CACHE_HOME. Docker is not measured."
    return
  fi
  [[ -z ${HVBENCH_DOCKER_CGROUP_DRIVER:-} ]] ||
    options+=(--exec-opt "native.cgroupdriver=$HVBENCH_DOCKER_CGROUP_DRIVER")
  mkdir -p "$dir"
  exec 9>"$dir/lock" # no child but this shell may keep it: everything is started with 9>&-
  if ! flock --nonblock 9; then
    die "another hvbench script uses $dir; wait for its end."
  fi
  private_docker_dir=$dir
  remove_docker_leftovers "$dir"
  write_daemon_settings "${2:-}" >"$dir/daemon.json"
  say "starting a private dockerd in $dir"
  # A session of its own keeps the terminal's Ctrl-C away from it; the death signal ends it even
  # where this script is killed.
  (
    enter_usual_priority
    exec setsid setpriv --pdeathsig TERM dockerd "${options[@]}"
  ) </dev/null >"$dir/log" 2>&1 9>&- &
  dockerd_pid=$!
  if ! wait_until "$DOCKERD_START_SECONDS" dockerd_decided "$dir/sock" ||
    ! docker_answers "$dir/sock"; then
    warn "dockerd did not start; Docker is not measured. The end of its log:"
    tail -n 10 "$dir/log" >&2
    stop_dockerd
    return
  fi
  remove_containers "$dir/sock"
  export DOCKER_HOST=unix://$dir/sock
  # dockerd prefers a containerd that runs already.
  if [[ -z ${CONTAINERD_ADDRESS:-} && -S $dir/exec/containerd/containerd.sock ]]; then
    export CONTAINERD_ADDRESS=$dir/exec/containerd/containerd.sock
  fi
}

# All of the daemon at socket $1, which is private: they are of runs that ended together with it.
remove_containers() {
  local container
  curl --silent --fail --max-time 30 --unix-socket "$1" 'http://docker/containers/json?all=true' |
    { grep -oE '"Id":"[0-9a-f]{64}"' || true; } |
    while IFS='"' read -r _ _ _ container _; do
      curl --silent --fail --max-time 30 --output /dev/null --request DELETE --unix-socket "$1" \
        "http://docker/containers/$container?force=true&v=true" ||
        warn "could not remove the container $container of an earlier run."
    done || warn 'could not list the containers of earlier runs.'
}

# Undoes what the caller's `nice` and the like changed, as far as this user may: a daemon's containers
# have their priority from it.
enter_usual_priority() {
  {
    renice -n 0 -p "$BASHPID"
    chrt --other --pid 0 "$BASHPID"
    ionice --class none --pid "$BASHPID"
    echo 0 >"/proc/$BASHPID/oom_score_adj"
    ulimit -S -n "$(ulimit -H -n)"
    ulimit -S -v unlimited
  } >/dev/null 2>&1 || true
}

# Not the machine's file, whose settings may contradict our flags. runsc needs no network here, and
# under a newer kernel it refuses to start with one: there net.core.rmem_default is in every network
# namespace, which it takes for being in the first.
write_daemon_settings() {
  local runtimes=
  [[ -z $1 ]] || runtimes="\"runsc\": {\"path\": \"$1\", \"runtimeArgs\": [\"--network=none\"]}"
  printf '{"runtimes": {%s}}\n' "$runtimes"
}

dockerd_decided() { is_gone "$dockerd_pid" || docker_answers "$1"; }

# Idempotent, for the EXIT trap.
stop_dockerd() {
  [[ -n ${private_docker_dir:-} ]] || return 0
  local -r dir=$private_docker_dir
  private_docker_dir=
  say 'stopping the private dockerd'
  remove_docker_leftovers "$dir"
  exec 9>&-
  unset DOCKER_HOST
  [[ ${CONTAINERD_ADDRESS:-} != "$dir"/* ]] || unset CONTAINERD_ADDRESS
}

# Ends all that runs from directory $1 and unmounts what it mounted. Keeps the data, which has the
# agent's image and costs seconds to make, and the log.
remove_docker_leftovers() {
  local -r dir=$1
  local name
  # The daemon first: it stops its containers and its containerd itself, in order. The others are
  # there only if it was killed.
  end_processes dockerd "$dir"
  kill_containers "$dir/data/containers"
  for name in containerd containerd-shim; do
    end_processes "$name" "$dir"
  done
  unmount_below "$dir"
  # containerd's records of containers outlive them.
  rm -rf "$dir/exec" "$dir/sock" "$dir/pid" "$dir/daemon.json" "$dir/data/containerd"
}

# A container outlives its shim: its processes are known by their control group, its identifier.
# Nothing but a whole identifier is ever looked for: a part of one, or what an empty folder's glob
# leaves, would match processes of others.
kill_containers() {
  local container
  local -a pids
  while read -r container; do
    mapfile -t pids < <(processes_in_container "$container")
    if holds_this_script "${pids[@]}"; then
      warn "container $container holds this script; it is left alone."
      continue
    fi
    thaw_v1 "/sys/fs/cgroup/freezer/docker/$container"
    ((${#pids[@]} == 0)) || kill -KILL "${pids[@]}" 2>/dev/null || true
    wait_until 5 rmdir_all /sys/fs/cgroup/{,*/}docker/"$container" || true
  done < <(container_ids "$1")
}

container_ids() {
  [[ -d $1 ]] || return 0
  find "$1" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | grep -xE '[0-9a-f]{64}' || true
}

processes_in_container() {
  grep --files-with-matches --no-messages --extended-regexp "[/:-]$1(\.scope)?(/|\$)" \
    /proc/[0-9]*/cgroup | cut -d/ -f3
}

# Whether this shell or one of its ancestors is among the pids.
holds_this_script() {
  local ancestor=$$ pid
  while ((ancestor > 0)); do
    for pid; do
      ((pid != ancestor)) || return 0
    done
    ancestor=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$ancestor/status") || return 1
  done
  return 1
}

# A process that a v1 freezer holds does not die of SIGKILL; hvbench freezes the guests that wait.
thaw_v1() {
  if [[ -w $1/freezer.state ]]; then
    printf 'THAWED\n' >"$1/freezer.state" || true
  fi
}

# Removes these control groups; true once none is left.
rmdir_all() {
  local dir status=0
  for dir in "$@"; do
    [[ ! -d $dir ]] || rmdir "$dir" 2>/dev/null || status=1
  done
  return "$status"
}

# Our pids of program $1 (or a longer name that begins so) with directory $2 in their command line.
# Anyone can write a command line, and a script can have any name: so the program that the kernel
# runs must be that one too. Those with another root are a container's, whose directory $2 is
# another one.
processes_of() {
  local proc program
  for proc in /proc/[0-9]*; do
    [[ $(<"$proc/comm") == "${1:0:15}"* && -O $proc ]] 2>/dev/null || continue
    [[ $proc/root -ef / ]] || continue
    program=$(readlink "$proc/exe") || continue
    [[ ${program##*/} == "$1"* ]] || continue
    ! holds_this_script "${proc#/proc/}" || continue
    ! names_folder "$2" "$proc/cmdline" || printf '%s\n' "${proc#/proc/}"
  done 2>/dev/null
}

# Whether a word of the command line in file $2 is a path below $1, alone or behind "=" or "unix://".
names_folder() {
  local word
  while IFS= read -r -d '' word; do
    [[ $word != "$1"/* && $word != *=$1/* && $word != *://$1/* ]] || return 0
  done <"$2"
  return 1
}

end_processes() {
  local -a pids
  mapfile -t pids < <(processes_of "$1" "$2")
  ((${#pids[@]})) || return 0
  kill -TERM "${pids[@]}" 2>/dev/null || true
  wait_until "$DOCKERD_STOP_SECONDS" no_processes_of "$1" "$2" && return
  warn "$1 (pid ${pids[*]}) does not stop; killing it."
  mapfile -t pids < <(processes_of "$1" "$2")
  ((${#pids[@]} == 0)) || kill -KILL "${pids[@]}" 2>/dev/null || true
  wait_until 5 no_processes_of "$1" "$2" || warn "$1 (pid ${pids[*]}) is still there."
}

no_processes_of() { [[ -z $(processes_of "$1" "$2") ]]; }

unmount_below() {
  local mount_point
  while read -r mount_point; do
    umount --lazy "$mount_point" 2>/dev/null || warn "could not unmount $mount_point"
  done < <(awk -v prefix="$1/" 'index($5, prefix) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
}
