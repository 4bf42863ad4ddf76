#!/usr/bin/env bash
# The first process in the lab's root: what an init system would set up, then the command of lab.sh,
# whose status it leaves in the session's folder before it switches the machine off.
set -euo pipefail

readonly SESSION=$1
readonly HOST=/run/host # this machine's files, writable
# Absent in some kernels, and not needed by all commands: a test that misses one says so.
readonly MODULES=(kvm-amd vhost_vsock vhost_net tun veth bridge)

# For what the kernel itself asks for, such as the protocols of a socket.
readonly MODPROBE=/run/modprobe

set_up() {
  local dir module
  mkdir -p /dev/shm /dev/pts
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
  cd "$working_dir"
}

# Also after a failure in between, which the console then shows. A first process must not end before
# the machine does.
switch_off() {
  sync
  echo o >/proc/sysrq-trigger
  while :; do sleep 1; done
}

main() {
  local kernel_dir='' working_dir='' status=0
  local -a output_dirs=() command=() port
  trap switch_off EXIT
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  # shellcheck source=/dev/null
  source "$SESSION/session"
  set_up
  port=(/sys/class/virtio-ports/*) # the machine has one
  "${command[@]}" </dev/null >"/dev/${port[0]##*/}" 2>&1 || status=$?
  printf '%s\n' "$status" >"$SESSION/status"
}

main >/dev/console 2>&1
