#!/usr/bin/env bash
# What ctest runs of the lab, each in a boot of its own:
#   machine   the lab does what lab.sh says, and KVM works in it
#   contract  the contract of the launchers of virtual machines
#   faults    what a machine with a kernel of its own can do wrong
#   kernels   the kernels with their smallest parameters, in the virtual machines that are usable there
#   cgroup2   the container runtimes on control groups of version 2, with Docker's driver cgroupfs
#   cgroup2_systemd   the same of Docker with its driver systemd, which is the first process there
set -euo pipefail

LAB_DIR=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly LAB_DIR
# shellcheck source-path=SCRIPTDIR
source "$LAB_DIR/../../scripts/lib/common.sh"
readonly PART=$1 BUILD_DIR=$2
readonly LAB_SECONDS=900 LAB_TIMED_OUT=124
readonly OUTPUT=$BUILD_DIR/lab/$PART

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# In a shell, since the lab's own status must not look like a test's. A machine that is too slow for
# an emulated one cannot run this part.
in_lab() {
  local status=0
  "$LAB_DIR/lab.sh" "${mode[@]}" --output "$OUTPUT" --timeout "$LAB_SECONDS" "$@" || status=$?
  ((status != LAB_TIMED_OUT)) || {
    printf 'skipped: the lab did not end within %d s on this machine\n' "$LAB_SECONDS" >&2
    exit 77
  }
  return "$status"
}

test_machine() {
  local status=0 text
  # shellcheck disable=SC2016  # for the lab's shell
  text=$(in_lab bash -c '
    [[ -c /dev/kvm && -c /dev/vhost-vsock ]] || exit 1
    [[ -e $1/nothing_of_this_stays ]] && exit 2
    touch "$1/nothing_of_this_stays" "$2/stays" || exit 3
    echo "to standard error" >&2
    "$1/bin/hvbench" doctor --json >"$2/doctor.json" || exit 4
    exit 42' bash "$BUILD_DIR" "$OUTPUT") || status=$?
  ((status != 77)) || exit 77
  ((status == 42)) || fail "the command ended with $status, not with 42"
  [[ $text == *'to standard error'* ]] || fail 'its output was lost'
  [[ -e $OUTPUT/stays ]] || fail 'what it wrote to the output folder was lost'
  [[ ! -e $BUILD_DIR/nothing_of_this_stays ]] || fail 'it wrote to a folder of this machine'
  # A guest of a few instructions proves KVM; see runtime_launchers/vm/kvm.h.
  python3 "$LAB_DIR/check_lab.py" doctor "$OUTPUT/doctor.json" qemu qemu-microvm
}

# Before it measures anything, each program is started once: the first start reads it from this
# machine, which takes longer than a probe waits. One repetition: an emulated processor that the host
# does not run for seconds lets deadlines pass; what is broken is so both times. Of the contract,
# which is tested as a whole of the emulated machines, what KVM decides; of qemu, whose boot takes
# twice as long, what its devices make different.
test_contract() {
  local -r qemu='AgentAnswers* AMachineHasIts* ReachesThePeer*'
  local -r others="$qemu Frozen* CountsTheCpu* CpusAndMemory* DeathIsSeen* ShutdownLeaves* RemoveStale*"
  # shellcheck disable=SC2016  # for the lab's shell
  in_lab bash -c '
    set -f
    filter=
    for runtime in $("$1/bin/hvbench" doctor | awk "\$2 == \"yes\" { print \$1 }"); do
      case $runtime in
        qemu) tests=$3 ;;
        *-tcg) continue ;;
        qemu* | firecracker* | kata*) tests=$4 ;;
        *) continue ;;
      esac
      for test in $tests; do filter+="*.$test/${runtime//-/_}:"; done
    done
    # Twice in the time of the lab: what hangs is a failure, not a lab that is too slow.
    contract() {
      timeout 400 "$1/tests/contract/launcher_contract_test" --gtest_filter="$filter" \
        --gtest_output="xml:$2/contract.xml"
    }
    contract "$@" || contract "$@"' bash "$BUILD_DIR" "$OUTPUT" "$qemu" "$others"
  python3 "$LAB_DIR/check_lab.py" contract "$OUTPUT/contract.xml" qemu qemu_microvm
}

test_faults() {
  # shellcheck disable=SC2016  # for the lab's shell
  in_lab bash -c '
    usable=$("$1/bin/hvbench" doctor | awk "\$2 == \"yes\" && \$1 != \"qemu\" { print \$1 }")
    ctest --test-dir "$1" --label-regex "^kvm$" --tests-regex "^faults[.](${usable//[[:space:]]/|})\$" \
      --repeat until-pass:2 --output-on-failure --verbose --output-junit "$2/ctest.xml"' bash "$BUILD_DIR" "$OUTPUT"
  python3 "$LAB_DIR/check_lab.py" ctest "$OUTPUT/ctest.xml" faults.qemu-microvm
}

# The runtime that must be usable, then those that may be. The servers' first answers take minutes,
# and are in their kernels too; qemu's machine takes twice as long for the same. A lab that stood still
# is started again, and goes on where it was.
test_kernels() {
  # shellcheck disable=SC2016  # for the lab's shell
  in_lab bash -c '
    status=0
    cells="^(calibration|cpu|memory|syscall|disk|network|nginx|mysql|startup/(boot|memory|density))/"
    "$1/bin/hvbench" doctor >/dev/null
    for runtime in qemu-microvm firecracker firecracker-snapshot kata kata-clh kata-fc; do
      "$1/bin/hvbench" --hvbench_work_dir=/tmp/hvbench --hvbench_profile=smoke \
        --hvbench_runtimes="$runtime" --benchmark_filter="$cells" \
        --benchmark_out="$2/$runtime.json" --hvbench_resume || case $? in
          2) echo "skipped: $runtime" && rm -f "$2/$runtime.json" ;;
          *) status=1 ;;
        esac
    done
    exit "$status"' bash "$BUILD_DIR" "$OUTPUT"
  [[ -s $OUTPUT/qemu-microvm.json ]] || fail 'qemu-microvm was not measured'
  python3 "$LAB_DIR/check_lab.py" results "$OUTPUT"/*.json
}

# In a machine without nested virtualization, which is quicker. $1: Docker's driver; the others: what
# must have been tested, where its programs are on this machine.
test_containers() {
  local -r driver=$1
  local runtime
  local -a required=()
  shift
  for runtime in "$@"; do
    case $runtime in
      native) ;;
      docker) { have dockerd && have curl; } || continue ;;
      gvisor) [[ -n ${HVBENCH_RUNSC:-} ]] || have runsc || continue ;;
      *) have "$runtime" || continue ;;
    esac
    required+=("$runtime")
  done
  in_lab "$LAB_DIR/container_tests.sh" "$driver" "$BUILD_DIR" "$OUTPUT"
  python3 "$LAB_DIR/check_lab.py" contract "$OUTPUT/launcher_contract_test.xml" "${required[@]}"
}

test_cgroup2() { test_containers cgroupfs native runc crun gvisor docker; }
test_cgroup2_systemd() { test_containers systemd docker; }

mode=()
case $PART in
  cgroup2) mode=(--plain) ;;
  cgroup2_systemd) mode=(--systemd) ;;
esac
"$LAB_DIR/lab.sh" "${mode[@]}" --check || exit
rm -rf "$OUTPUT"
"test_$PART"
