#!/usr/bin/env bash
# The first process in the lab's root: what an init system would set up, then the command of lab.sh,
# whose status it leaves in the session's folder before it switches the machine off. Where lab.sh
# wants systemd, that is the first process then, and this script its service, which runs the command.
set -euo pipefail

readonly SESSION=$1 PART=${2:-all}
readonly HOST=/run/host # this machine's files, writable
# Absent in some kernels, and not needed by all commands: a test that misses one says so.
readonly MODULES=(kvm-amd vhost_vsock vhost_net tun veth bridge)

# For what the kernel itself asks for, such as the protocols of a socket.
readonly MODPROBE=/run/modprobe

set_up() {
  local dir module
  mkdir -p /dev/shm /dev/pts
  ln -sn /proc/self/fd /dev/fd
  mount -t tmpfs tmpfs /dev/shm
  mount -t devpts devpts /dev/pts
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  for dir in "$SESSION" "${output_dirs[@]}"; do
    mount --bind "$HOST$dir" "$dir"
  done
  # Nothing else of this machine can be written to.
  mount --options remount,bind,ro "$HOST"
  ip link set lo up
  for module in "${MODULES[@]}"; do
    modprobe --dirname "$kernel_dir" "$module" || printf 'no module %s\n' "$module"
  done
  printf '#!/bin/sh\nexec modprobe --dirname %q "$@"\n' "$kernel_dir" >"$MODPROBE"
  chmod +x "$MODPROBE"
  printf '%s' "$MODPROBE" >/proc/sys/kernel/modprobe
}

# Also after a failure in between, which the console then shows. A first process must not end before
# the machine does.
switch_off() {
  sync
  echo o >/proc/sysrq-trigger
  while :; do sleep 1; done
}

# Its own dependencies alone: what else this machine's systemd would start does not concern a test.
start_systemd() {
  mkdir -p /run/systemd/system
  cat >/run/systemd/system/hvbench-lab.service <<EOF
[Unit]
DefaultDependencies=no
FailureAction=poweroff-immediate

[Service]
ExecStart=/bin/bash $SESSION/lab_session.sh $SESSION command
KillMode=process
EOF
  trap - EXIT
  exec "$first_process" --unit=hvbench-lab.service --log-target=kmsg --show-status=no
}

run_command() {
  local status=0
  local -a port
  cd "$working_dir"
  port=(/sys/class/virtio-ports/*) # the machine has one
  "${command[@]}" </dev/null >"/dev/${port[0]##*/}" 2>&1 || status=$?
  printf '%s\n' "$status" >"$SESSION/status"
}

main() {
  local kernel_dir='' working_dir='' first_process=''
  local -a output_dirs=() command=()
  trap switch_off EXIT
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  # shellcheck source=/dev/null
  source "$SESSION/session"
  [[ $PART == command ]] || set_up
  if [[ -n $first_process && $PART != command ]]; then start_systemd; fi
  run_command
}

main >/dev/console 2>&1
