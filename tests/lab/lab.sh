#!/usr/bin/env bash
# Runs a command in the lab: an emulated machine (QEMU's TCG) with AMD's hardware virtualization, in
# which KVM works although this machine has none; or a plainer one, for what needs control groups of
# version 2, which this machine may not have. The lab sees this machine's own files at the same paths;
# what it writes is forgotten, but for the folders named with --output.
#
# The command's output is streamed. The exit status is the command's, or
#   77  the lab cannot run here, or not to the end; the reason is the last line of standard error
#   124 the command did not end in time
#   125 the lab itself failed; the end of its console is shown
set -euo pipefail

LAB_DIR=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly LAB_DIR
# shellcheck source-path=SCRIPTDIR
source "$LAB_DIR/../../scripts/lib/common.sh"
# shellcheck source-path=SCRIPTDIR
source "$LAB_DIR/../../scripts/lib/guest_kernel.sh"

readonly EXIT_SKIPPED=77 EXIT_LAB_FAILED=125
# To reach the command, and to switch off after it: 10 s on an idle machine.
readonly BOOT_ALLOWANCE_SECONDS=120
# See end_if_it_stands_still.
readonly STILL_SECONDS=30 MAX_BOOTS=3
readonly SYSTEMD=/lib/systemd/systemd
# Loaded by the initramfs. What the lab's user needs, lab_session.sh loads.
readonly BOOT_MODULES=(virtio_pci virtiofs overlay virtio_console)
# Variables that the command gets, besides those called HVBENCH_*.
readonly KEPT_VARIABLES=(PATH HOME LANG XDG_CACHE_HOME)

usage() {
  cat <<EOF
usage: tests/lab/lab.sh [--plain | --systemd] [--output DIR]... [--memory-mib N] [--timeout SECONDS]
                        COMMAND [ARGUMENT...]
       tests/lab/lab.sh [--systemd] --check      says whether the lab can run here

  --plain    without hardware virtualization: two processors, and quicker
  --systemd  as --plain, and systemd is the first process: the command is a service of it
EOF
}

cannot_run() {
  printf 'the lab cannot run here: %s\n' "$*" >&2
  exit "$EXIT_SKIPPED"
}

# QEMU up to 7.2 brings a virtiofsd of its own, in C; the later ones are a package of their own.
find_virtiofsd() {
  local file
  for file in /usr/libexec/virtiofsd /usr/lib/qemu/virtiofsd "$(command -v virtiofsd || true)"; do
    if [[ -x $file ]]; then
      printf '%s\n' "$file"
      return
    fi
  done
  return 1
}

check() {
  local tool
  is_root || cannot_run 'it needs root, to share all files of this machine.'
  for tool in qemu-system-x86_64 modprobe depmod cpio ldd; do
    have "$tool" || cannot_run "there is no $tool (apt-get install qemu-system-x86 kmod cpio)."
  done
  [[ -z $first_process || -x $first_process ]] ||
    cannot_run "there is no $first_process (apt-get install systemd)."
  virtiofsd=$(find_virtiofsd) ||
    cannot_run 'there is no virtiofsd (apt-get install virtiofsd, or qemu-system-common before 8.0).'
  kernel=${HVBENCH_GUEST_KERNEL:-$(guest_kernel_in "$(cache_dir)/guest-kernel/root")}
  kernel_dir=${kernel%/boot/*} kernel_version=${kernel##*/vmlinuz-}
  [[ -f $kernel && -d $kernel_dir/lib/modules/$kernel_version ]] ||
    cannot_run 'there is no kernel with its modules for it (scripts/test.sh fetches one).'
}

# Copies program $1 and the libraries that it needs into directory $2.
copy_program() {
  local file
  while read -r file; do
    mkdir -p "$2$(dirname "$file")"
    cp --dereference "$file" "$2$file"
  done < <(printf '%s\n' "$1" && ldd "$1" | grep -oE '/[^ ]+')
}

# The files of BOOT_MODULES and of what they need, in the order of their loading.
boot_module_files() {
  local module
  for module in "${BOOT_MODULES[@]}"; do
    modprobe --dirname "$kernel_dir" --set-version "$kernel_version" --show-depends "$module"
  done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# Tools of this machine and the modules that open its files to the lab; nothing else.
write_initramfs() {
  local -r tree=$session/initramfs
  local tool path module count=100
  mkdir -p "$tree"/{bin,dev,host,newroot,writable}
  for tool in sh mount mkdir kmod switch_root; do
    path=$(readlink -f "$(command -v "$tool")")
    copy_program "$path" "$tree"
    [[ -e $tree/bin/$tool ]] || ln -s "$path" "$tree/bin/$tool"
  done
  ln -s kmod "$tree/bin/insmod"
  while read -r module; do
    cp "$module" "$tree/$((++count)).ko"
  done < <(boot_module_files)
  cp "$LAB_DIR/lab_init.sh" "$tree/init"
  (cd "$tree" && find . | cpio --quiet --create --format=newc) >"$session/initramfs.cpio"
}

# What lab_session.sh reads: the command, where and with which variables it runs.
write_session() {
  local -r working_dir=$PWD
  local -a command=(env -i HVBENCH_IN_LAB=1)
  local name
  for name in "${KEPT_VARIABLES[@]}" $(compgen -e HVBENCH_); do
    [[ -z ${!name:-} ]] || command+=("$name=${!name}")
  done
  command+=("$@")
  declare -p kernel_dir output_dirs working_dir command first_process >"$session/session"
  cp "$LAB_DIR/lab_session.sh" "$session"
}

# Its messages tell nothing while all is well.
start_virtiofsd() {
  local -a options=(--socket-path="$session/virtiofs.sock")
  if [[ $virtiofsd == /usr/lib/qemu/* ]]; then
    options+=(-o source=/ -o cache=always -o sandbox=chroot)
  else
    options+=(--shared-dir=/ --cache=always --sandbox=chroot --announce-submounts)
  fi
  setpriv --pdeathsig KILL "$virtiofsd" "${options[@]}" </dev/null >"$session/virtiofsd.log" 2>&1 &
  virtiofsd_pid=$!
  wait_until 10 virtiofsd_decided || true
  if [[ ! -S $session/virtiofs.sock ]] || is_gone "$virtiofsd_pid"; then
    tail -n 5 "$session/virtiofsd.log" >&2
    cannot_run "$virtiofsd does not start."
  fi
}

# It ends by itself behind QEMU, but only a moment later lets another one begin.
end_virtiofsd() {
  [[ -n ${virtiofsd_pid:-} ]] || return 0
  kill -KILL "$virtiofsd_pid" 2>/dev/null || true
  wait "$virtiofsd_pid" 2>/dev/null || true
  virtiofsd_pid=
}

virtiofsd_decided() { [[ -S $session/virtiofs.sock ]] || is_gone "$virtiofsd_pid"; }

boot() {
  # no_timer_check: on a busy host the timer's test at the start fails, and the kernel panics.
  # shellcheck disable=SC2054  # the commas are QEMU's
  local -ar machine=(
    -machine q35 -accel tcg "${processors[@]}" -m "$memory_mib"
    -object "memory-backend-memfd,id=memory,size=${memory_mib}M,share=on"
    -numa node,memdev=memory
    -nodefaults -display none -no-reboot -pidfile "$session/qemu.pid"
    -kernel "$kernel" -initrd "$session/initramfs.cpio"
    -append "console=ttyS0 quiet panic=-1 no_timer_check mitigations=off hvbench.session=$session"
    -serial "file:$session/console.log"
    -chardev "socket,id=files,path=$session/virtiofs.sock"
    -device vhost-user-fs-pci,chardev=files,tag=host
    -device virtio-serial-pci -chardev stdio,id=output,signal=off
    -device virtserialport,chardev=output,name=hvbench.output
  )
  # A pipe without an end: at the end of its input QEMU would drop the output.
  [[ -p $session/no_input ]] || mkfifo "$session/no_input"
  # In the place of this job, which gets the signals: a machine that stands still ends by the second.
  exec timeout --foreground --signal=KILL --kill-after=5 "$((timeout_seconds + BOOT_ALLOWANCE_SECONDS))" \
    setpriv --pdeathsig KILL qemu-system-x86_64 "${machine[@]}" <>"$session/no_input" 2>"$session/qemu.log"
}

# Now and then, mostly where the host has other work, QEMU's processor sleeps for good while a nested
# guest starts: its local APIC has an interrupt for it, which it would take, but neither that nor an NMI
# wakes it. An idle Linux takes some CPU time in each half of a minute.
end_if_it_stands_still() {
  local pid before
  wait_until 30 test -s "$session/qemu.pid" || return 0
  pid=$(<"$session/qemu.pid")
  while before=$(cpu_ticks "$pid") && sleep "$STILL_SECONDS" && [[ -n $before ]]; do
    if [[ $(cpu_ticks "$pid") == "$before" ]]; then
      touch "$session/stood_still"
      kill -KILL "$pid"
    fi
  done
}

# User's and system's, of a process; nothing once it is gone.
cpu_ticks() { cut -d ' ' -f 14,15 "/proc/$1/stat" 2>/dev/null || true; }

# A machine that stood still is started again: the command begins anew.
boot_until_it_ends() {
  local status watch_pid boots
  for ((boots = 0; boots < MAX_BOOTS; ++boots)); do
    status=0
    rm -f "$session/qemu.pid" "$session/virtiofs.sock" "$session/stood_still"
    start_virtiofsd
    set -m # a group of its own, which ends as a whole
    end_if_it_stands_still >/dev/null 2>&1 &
    watch_pid=$!
    set +m
    run_with_signals boot || status=$?
    kill -- -"$watch_pid" 2>/dev/null || true
    end_virtiofsd
    [[ -e $session/stood_still && -z $interrupted_by ]] || return "$status"
    printf 'the lab stood still for %d s: it is killed\n' "$STILL_SECONDS" >&2
  done
  return "$status"
}

finish() {
  end_virtiofsd
  [[ -z ${session:-} ]] || rm -rf "$session"
}

lab_failed() {
  {
    tail -n 40 "$session/console.log"
    grep -v "warning: TCG doesn't support" "$session/qemu.log"
  } >&2 || true
  printf 'the lab failed: %s\n' "$*" >&2
  exit "$EXIT_LAB_FAILED"
}

run_in_lab() {
  local status=0
  trap finish EXIT
  session=$(mktemp -d /tmp/hvbench-lab-XXXXXX)
  write_session "$@"
  write_initramfs
  boot_until_it_ends || status=$?
  [[ -z $interrupted_by ]] || exit $((128 + $(kill -l "$interrupted_by")))
  if [[ -s $session/status ]]; then
    exit "$(<"$session/status")"
  fi
  [[ ! -e $session/stood_still ]] || cannot_run "its processor stood still in each of $MAX_BOOTS boots."
  ((status != 137)) || lab_failed "no end after $((timeout_seconds + BOOT_ALLOWANCE_SECONDS)) seconds."
  lab_failed "QEMU ended with $status, and the command has no exit status."
}

main() {
  local kernel kernel_dir kernel_version virtiofsd
  local memory_mib=3072 timeout_seconds=600 first_process=
  # One processor: with two, guests of the nested KVM stall under TCG.
  local -a processors=(-cpu 'EPYC,+svm,+npt' -smp 1)
  local -a output_dirs=()
  while [[ ${1:-} == --* ]]; do
    case $1 in
      --check) check && return ;;
      --help) usage && return ;;
      --) shift && break ;;
      --plain | --systemd)
        processors=(-cpu max -smp 2)
        [[ $1 == --plain ]] || first_process=$SYSTEMD
        shift
        continue
        ;;
    esac
    (($# >= 2)) || { usage >&2 && exit "$HVBENCH_EXIT_USAGE"; }
    case $1 in
      --output) mkdir -p "$2" && output_dirs+=("$(realpath "$2")") ;;
      --memory-mib) memory_mib=$2 ;;
      --timeout) timeout_seconds=$2 ;;
      *) usage >&2 && exit "$HVBENCH_EXIT_USAGE" ;;
    esac
    shift 2
  done
  (($#)) || { usage >&2 && exit "$HVBENCH_EXIT_USAGE"; }
  check
  # What is good for the lab is good for its guests.
  export HVBENCH_GUEST_KERNEL=$kernel
  run_in_lab timeout --kill-after=10 "$timeout_seconds" "$@"
}

main "$@"
