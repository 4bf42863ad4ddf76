#!/usr/bin/env bash
# In the lab, whose control groups are of version 2: the contract of the runtimes whose guests are
# containers, and of the tests of the program those in which control groups matter. What is timing,
# formatting or the machine's disk is tested elsewhere; here each second is ten.
#
#   container_tests.sh cgroupfs|systemd BUILD_DIR OUTPUT_DIR
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
# shellcheck source-path=SCRIPTDIR
source "$HVBENCH_SOURCE_DIR/scripts/lib/dockerd.sh"

readonly DRIVER=$1 BUILD_DIR=$2 OUTPUT=$3

# What control groups decide, and for some of the runtimes the ends and faults as well.
readonly LIMITS=(CpusAndMemoryAreLimited FrozenGuestUsesNoCpuAndGoesOnAfterwards
  ShutdownLeavesNothingAndIsIdempotent)
readonly ENDS=(CountsTheCpuAndMemoryOfItsHostProcesses DeathIsSeenAtOnceAndExplained
  AgentThatCannotRunIsAnErrorOrADeath RemoveStaleRemovesWhatAKilledProgramLeft
  ZInterruptEndsALaunchButNotAShutdown)

case $DRIVER in
  cgroupfs)
    all=(native runc)
    limits=(crun gvisor docker containerd_runc)
    program_tests='HostsTest.*:OwnGroupTest.*:MeasuringTest.AKilledGuestCostsItsOwnCellAlone'
    program_tests+=':Runtimes/InterruptionTest.ASignalLeaves*/runc'
    ;;
  systemd) # what Docker leaves to it
    all=(docker)
    limits=()
    program_tests='HostsTest.AScopeOfSystemd*:Runtimes/InterruptionTest.SigkillThen*/docker'
    ;;
esac
runtimes=("${all[@]}" "${limits[@]}")

# filter_of_contract TEST... -- RUNTIME...
filter_of_contract() {
  local runtime test
  local -a tests=()
  while [[ $1 != -- ]]; do tests+=("$1") && shift; done
  shift
  for runtime in "$@"; do
    for test in "${tests[@]}"; do printf '*.%s/%s:' "$test" "$runtime"; done
  done
}

run() {
  "$BUILD_DIR/tests/$1" --gtest_filter="$2" \
    --gtest_output="xml:$OUTPUT/${1##*/}.xml" || (($? == 77)) || status=1
}

status=0
trap stop_dockerd EXIT
# Memory: a layer of files over the lab's own layers would copy each of them.
export XDG_CACHE_HOME=/run/hvbench HVBENCH_DOCKER_CGROUP_DRIVER=$DRIVER
# dockerd waits 15 s for its containerd, whose first start reads it from the other machine.
for ((tries = 0; tries < 3; ++tries)); do
  [[ -n ${DOCKER_HOST:-} ]] || provide_docker "${HVBENCH_RUNSC:-}"
done
# The first start of a program reads it from the other machine, which may take longer than a probe waits.
names=${runtimes[*]//_/-}
"$BUILD_DIR/bin/hvbench" doctor --hvbench_runtimes="${names// /,}"
[[ $DRIVER != cgroupfs ]] || run unit/runtime_launchers/hvbench_launchers_test 'Cgroup*:Oci*'
run contract/launcher_contract_test \
  "$(filter_of_contract "${LIMITS[@]}" -- "${runtimes[@]}")$(filter_of_contract "${ENDS[@]}" -- "${all[@]}")"
run integration/hvbench_program_test "$program_tests"
if ((status)); then tail -n 40 "$XDG_CACHE_HOME/hvbench/docker/log" || true; fi
exit "$status"
