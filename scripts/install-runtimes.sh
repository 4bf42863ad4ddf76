#!/usr/bin/env bash
# Installs runtimes that distributions do not have, from their official releases: one version each,
# checked against the SHA-256 in lib/runtimes.sha256. Needs no root and changes nothing outside of
# the prefix.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

readonly RUNTIMES=(firecracker kata gvisor)
readonly CHECKSUMS=$HVBENCH_SOURCE_DIR/scripts/lib/runtimes.sha256
readonly CONNECT_SECONDS=20

readonly FIRECRACKER_VERSION=1.17.0
readonly GVISOR_VERSION=release-20260831.0
readonly KATA_VERSION=4.2.0
# Where the release's own configuration files expect it.
readonly KATA_HOME=/opt/kata
readonly KATA_SHIM=containerd-shim-kata-v2

usage() {
  cat <<EOF
usage: scripts/install-runtimes.sh [--prefix DIR] [--mirror URL] [RUNTIME...]
runtimes: ${RUNTIMES[*]} (without any: all of them)
--prefix: where to install; default $(default_runtimes_dir)
--mirror: a folder (file://, http://, https://) that has the files named in lib/runtimes.sha256
EOF
}

# Each runtime: its archive's name in CHECKSUMS, its address, and what goes into bin/.
archive_of() {
  case $1 in
    firecracker) printf 'firecracker-v%s-x86_64.tgz\n' "$FIRECRACKER_VERSION" ;;
    kata) printf 'kata-static-%s-amd64.tar.zst\n' "$KATA_VERSION" ;;
    gvisor) printf 'gvisor-%s-x86_64.tar.zstd\n' "$GVISOR_VERSION" ;;
  esac
}

url_of() {
  local -r github=https://github.com
  if [[ -n $mirror ]]; then
    printf '%s/%s\n' "${mirror%/}" "$(archive_of "$1")"
    return
  fi
  case $1 in
    firecracker)
      printf '%s/firecracker-microvm/firecracker/releases/download/v%s/%s\n' \
        "$github" "$FIRECRACKER_VERSION" "$(archive_of "$1")"
      ;;
    kata)
      printf '%s/kata-containers/kata-containers/releases/download/%s/%s\n' \
        "$github" "$KATA_VERSION" "$(archive_of "$1")"
      ;;
    gvisor)
      # The only one whose name does not carry its version.
      printf '%s/google/gvisor/releases/download/%s/gvisor-x86_64.tar.zstd\n' \
        "$github" "$GVISOR_VERSION"
      ;;
  esac
}

# Lines "name-in-bin path-in-the-archive".
programs_of() {
  local -r release=release-v$FIRECRACKER_VERSION-x86_64
  case $1 in
    firecracker)
      printf '%s\n' "firecracker $release/firecracker-v$FIRECRACKER_VERSION-x86_64" \
        "jailer $release/jailer-v$FIRECRACKER_VERSION-x86_64"
      ;;
    # The shim in Rust; the deprecated one in Go is an archive of its own.
    kata) printf '%s\n' "$KATA_SHIM ${KATA_HOME#/}/runtime-rs/bin/$KATA_SHIM" ;;
    gvisor) printf '%s\n' 'runsc runsc' 'containerd-shim-runsc-v1 containerd-shim-runsc-v1' ;;
  esac
}

# fetch URL FILE
fetch() {
  local -r url=$1 file=$2
  curl --fail --location --silent --show-error --proto '=https,http,file' \
    --proto-redir '=https' --connect-timeout "$CONNECT_SECONDS" --retry 2 \
    --output "$file" "$url" 2>"$file.log" && return
  die "cannot fetch $url: $(tail -n 1 "$file.log"). Without a network, put the file into a folder" \
    "and name that with --mirror file:///FOLDER."
}

verify() {
  local -r file=$1 archive=$2
  local expected actual
  expected=$(awk -v name="$archive" '$2 == name { print $1 }' "$CHECKSUMS")
  [[ -n $expected ]] || die "lib/runtimes.sha256 has no checksum for $archive"
  actual=$(sha256sum "$file" | cut -d ' ' -f 1)
  [[ $actual == "$expected" ]] ||
    die "$archive is damaged or not the release: its $(stat -c %s "$file") bytes have the SHA-256" \
      "$actual instead of $expected. Nothing was installed."
}

# relocate_kata UNPACKED HOME: the release's paths are absolute; its configuration must follow.
relocate_kata() {
  find "$1$KATA_HOME" -name '*.toml' -type f -exec sed -i "s|$KATA_HOME/|$2$KATA_HOME/|g" {} +
}

install_runtime() {
  local -r runtime=$1
  local -r archive=$(archive_of "$runtime")
  local -r home=$prefix/${archive%%.t[ag]*}
  local program path
  if [[ -d $home ]]; then
    say "$runtime: $home is there already"
  else
    say "$runtime: fetching $(url_of "$runtime")"
    fetch "$(url_of "$runtime")" "$work/$archive"
    verify "$work/$archive" "$archive"
    mkdir "$work/$runtime"
    tar --extract --file="$work/$archive" --directory="$work/$runtime" --no-same-owner
    while read -r program path; do
      [[ -x $work/$runtime/$path ]] || die "$archive has no program $path"
    done < <(programs_of "$runtime")
    if [[ $runtime == kata ]]; then relocate_kata "$work/kata" "$home"; fi
    mv "$work/$runtime" "$home" # at once: a killed run leaves no half of a runtime
    rm "$work/$archive"
  fi
  while read -r program path; do
    ln -sfn "$home/$path" "$prefix/bin/$program"
  done < <(programs_of "$runtime")
}

require_tools() {
  [[ $(uname -m) == x86_64 ]] || die 'releases are fetched for x86-64 alone.'
  have curl || die 'curl is missing: apt-get install curl'
  have zstd || die 'zstd, which unpacks two of the archives, is missing: apt-get install zstd'
}

main() {
  local runtime
  local -a selected=()
  prefix=$(default_runtimes_dir)
  mirror=
  while (($#)); do
    case $1 in
      --prefix | --mirror)
        (($# >= 2)) || { usage >&2 && exit "$HVBENCH_EXIT_USAGE"; }
        declare -g "${1#--}=$2"
        shift
        ;;
      --help) usage && return ;;
      firecracker | kata | gvisor) selected+=("$1") ;;
      *) usage >&2 && exit "$HVBENCH_EXIT_USAGE" ;;
    esac
    shift
  done
  ((${#selected[@]})) || selected=("${RUNTIMES[@]}")
  require_tools
  [[ $prefix == /* ]] || prefix=$PWD/$prefix
  require_trusted "$prefix"
  (umask 022 && mkdir -p "$prefix/bin")
  prefix=$(cd -- "$prefix" && pwd)
  exec 9>"$prefix/.lock"
  flock --nonblock 9 || die "another install-runtimes.sh works in $prefix; wait for its end."
  work=$(mktemp -d "$prefix/.new-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  for runtime in "${selected[@]}"; do
    install_runtime "$runtime"
  done
  say "installed; scripts/bench.sh and scripts/test.sh find the default prefix by themselves."
  say "otherwise: export PATH=$prefix/bin:\$PATH, also for containerd and dockerd."
}

main "$@"
