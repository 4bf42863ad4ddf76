# shellcheck shell=bash
# Installs what is missing with apt, and nothing else. Sourced after common.sh.
#
# An entry is a package, or "package:command" where any provider of that command will do: a machine
# with the vendor's Docker or a newer CMake of its own keeps it.

# shellcheck disable=SC2034  # the scripts read these
readonly BUILD_PACKAGES=(
  cmake:cmake ninja-build:ninja g++:g++ git:git pkg-config:pkg-config ca-certificates
  libbenchmark-dev libboost-dev nlohmann-json3-dev libcli11-dev libarchive-dev
  nettle-dev libssl-dev libzstd-dev libaio-dev liburing-dev libnghttp2-dev libprotozero-dev libjs-chart.js
  libmariadb-dev libtomlplusplus-dev
)
# Each one is optional: what cannot be installed is not measured.
# shellcheck disable=SC2034
readonly RUNTIME_PACKAGES=(
  runc:runc crun:crun docker.io:dockerd containerd:containerd curl:curl iproute2:ip zstd:zstd
  qemu-system-x86:qemu-system-x86_64 kmod:depmod mmdebstrap:mmdebstrap e2fsprogs:mke2fs
)
# For tests/lab, after the others: QEMU up to 7.2 has a virtiofsd of its own. In a container systemd is
# installed without being started, for the lab's machine to start.
# shellcheck disable=SC2034
readonly LAB_PACKAGES=(cpio:cpio virtiofsd:/usr/lib/qemu/virtiofsd systemd:/lib/systemd/systemd)
# shellcheck disable=SC2034
readonly TEST_PACKAGES=(
  libgtest-dev libgmock-dev python3 shellcheck:shellcheck ccache:ccache
  chromium chromium-driver python3-selenium libbenchmark-tools python3-scipy
  mariadb-server-core:mariadbd python3-pandas jq:jq stress-ng:stress-ng procps:pgrep fio:fio
)
# Optional as well: what tests/peers compares our cells with.
# shellcheck disable=SC2034
readonly PEER_PACKAGES=(iperf3:iperf3 sockperf:sockperf wrk:wrk sysbench:sysbench mariadb-client-core:mariadb)
# The formatter's and the linter's verdicts depend on their version: the first is the project's.
readonly LLVM_VERSIONS=(16 17 18 19 20 15 14)

have_package() {
  local status
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "${1%%:*}" 2>/dev/null) || status=
  [[ $status == installed ]] || { [[ $1 == *:* ]] && have "${1#*:}"; }
}

missing_packages() {
  local entry
  for entry in "$@"; do
    have_package "$entry" || printf '%s\n' "${entry%%:*}"
  done
}

# At most once a run. A third-party source that does not answer must not stop us: what matters is
# whether the packages can be installed afterwards.
refresh_package_lists() {
  [[ -z ${package_lists_fresh:-} ]] || return 0
  package_lists_fresh=yes
  say 'apt-get update'
  apt-get -qq update >&2 || warn 'apt-get update failed; going on with the lists that are there.'
}

# dpkg's hundreds of lines go to a file, which is shown if they end badly. Nothing is removed for it: a
# package may be the rival of one that the user needs.
apt_install() {
  local log
  log=$(cache_dir)/apt-install.log
  mkdir -p "${log%/*}"
  say "apt-get install $*"
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
    install --yes --no-remove --no-install-recommends "$@" </dev/null >"$log" 2>&1 || {
    tail -n 15 "$log" >&2
    return 1
  }
}

# The entries must be there afterwards, or the script ends.
require_packages() {
  local -a missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  have apt-get || die "these packages are missing, and there is no apt-get: ${missing[*]}"
  is_root || die "packages are missing; run this with sudo, or: apt-get install ${missing[*]}"
  refresh_package_lists
  with_quiet_services apt_install "${missing[@]}" ||
    die "apt-get could not install all of: ${missing[*]}"
}

# The same for entries that the script can do without.
want_packages() {
  local package
  local -a missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  if ! have apt-get || ! is_root; then
    warn "not installed, so not used: ${missing[*]}"
    return 0
  fi
  refresh_package_lists
  # All at once, or at least those that can be had.
  if ((${#missing[@]} > 1)) && with_quiet_services apt_install "${missing[@]}"; then
    return 0
  fi
  for package in "${missing[@]}"; do
    with_quiet_services apt_install "$package" || warn "not installed, so not used: $package"
  done
}

# Packages of daemons start them. Ours is private, so a new docker.io must not leave a second one
# behind; policy-rc.d is Debian's way to say so. One that is already there stays in force.
readonly SERVICE_POLICY=/usr/sbin/policy-rc.d

with_quiet_services() {
  local status=0
  if [[ ! -e $SERVICE_POLICY ]]; then
    printf '#!/bin/sh\n# hvbench: while it installs packages\nexit 101\n' >"$SERVICE_POLICY"
    chmod 755 "$SERVICE_POLICY"
  fi
  "$@" || status=$?
  remove_quiet_policy
  return "$status"
}

# Also for the EXIT trap: an interrupted installation must not leave the policy in force.
remove_quiet_policy() {
  if [[ -w $SERVICE_POLICY ]] && grep -q '^# hvbench:' "$SERVICE_POLICY"; then
    rm -f "$SERVICE_POLICY"
  fi
}

# The first LLVM version whose tools are there or can be had.
llvm_version() {
  local version
  for version in "${LLVM_VERSIONS[@]}"; do
    if have "clang-tidy-$version" && have "clang-format-$version" && have "clang++-$version"; then
      printf '%s\n' "$version"
      return
    fi
  done
  for version in "${LLVM_VERSIONS[@]}"; do
    if [[ -n $(apt-cache madison "clang-tidy-$version" 2>/dev/null) ]]; then
      printf '%s\n' "$version"
      return
    fi
  done
  printf '%s\n' "${LLVM_VERSIONS[0]}"
}

llvm_packages() {
  local -r version=$1
  printf '%s\n' "clang-$version:clang++-$version" "clang-tidy-$version:clang-tidy-$version" \
    "clang-format-$version:clang-format-$version" "libclang-rt-$version-dev"
}
