#!/usr/bin/env bash
# install-runtimes.sh against a mirror of small archives in the releases' layout. The script is a
# copy with their checksums: there is no other way around those of the releases.
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mirror=$dir/mirror
prefix=$dir/prefix
archives=()

fail() {
  printf 'FAILED: %s\n' "$*"
  [[ ! -s $dir/output ]] || sed 's/^/  /' "$dir/output"
  exit 1
}

# archive NAME FILE...: files that are programs, packed as NAME.
archive() {
  local -r name=$1 content=$dir/content
  local file
  shift
  rm -rf "$content"
  for file in "$@"; do
    mkdir -p "$content/$(dirname "$file")"
    printf '#!/bin/sh\necho %s\n' "${file##*/}" >"$content/$file"
    chmod 755 "$content/$file"
  done
  if [[ $name == kata* ]]; then
    mkdir -p "$content/opt/kata/share/defaults"
    printf 'kernel = "/opt/kata/share/vmlinux"\n' >"$content/opt/kata/share/defaults/qemu.toml"
  fi
  tar --create --auto-compress --file="$mirror/${name/%zstd/zst}" --directory="$content" .
  [[ $name != *zstd ]] || mv "$mirror/${name/%zstd/zst}" "$mirror/$name"
  archives+=("$name")
}

write_checksums() { (cd "$mirror" && sha256sum "${archives[@]}") >"$dir/scripts/lib/runtimes.sha256"; }

install_runtimes() {
  "$dir/scripts/install-runtimes.sh" --prefix "$prefix" --mirror "file://$mirror" "$@" \
    >"$dir/output" 2>&1
}

expect_failure() {
  local -r case=$1 text=$2
  local status=0
  shift 2
  "$@" || status=$?
  ((status == 2)) || fail "$case: status $status"
  grep --quiet --fixed-strings -- "$text" "$dir/output" || fail "$case: its text is not '$text'"
  [[ -z $(find "$prefix" -maxdepth 1 -name '.new-*') ]] || fail "$case: it left files"
  printf 'ok: %s\n' "$case"
}

have_zstd() { command -v zstd >/dev/null && command -v curl >/dev/null && [[ $(uname -m) == x86_64 ]]; }
have_zstd || { echo 'skipped: needs curl, zstd and x86-64' && exit 77; }

mkdir -p "$mirror" "$prefix"
cp -r "$root/scripts" "$dir/scripts"
mapfile -t names < <(awk '!/^#/ { print $2 }' "$root/scripts/lib/runtimes.sha256")
((${#names[@]} == 3)) || fail 'not three archives'
for name in "${names[@]}"; do
  case $name in
    firecracker-*)
      version=${name#firecracker-}
      version=${version%.tgz}
      archive "$name" "release-$version/firecracker-$version" "release-$version/jailer-$version"
      ;;
    kata-*) archive "$name" opt/kata/runtime-rs/bin/containerd-shim-kata-v2 ;;
    gvisor-*) archive "$name" runsc containerd-shim-runsc-v1 ;;
    *) fail "no layout for $name" ;;
  esac
done
kata=$(printf '%s\n' "${names[@]}" | grep '^kata')

# The checksums of the releases must refuse these archives.
expect_failure 'a wrong checksum' 'Nothing was installed' install_runtimes firecracker
[[ -z $(find "$prefix" -name 'firecracker*') ]] || fail 'a refused archive was installed'

write_checksums
truncate --size=-1 "$mirror/$kata"
expect_failure 'a truncated download' 'is damaged' install_runtimes kata
rm "$mirror/$kata"
expect_failure 'a missing file' 'cannot fetch' install_runtimes kata
archive "$kata" opt/kata/bin/something-else
archives=("${names[@]}")
write_checksums
expect_failure 'another layout' 'has no program' install_runtimes kata
archive "$kata" opt/kata/runtime-rs/bin/containerd-shim-kata-v2
archives=("${names[@]}")
write_checksums

# Port 1 of the loopback device: refused at once, and no network is asked.
no_network() {
  "$dir/scripts/install-runtimes.sh" --prefix "$prefix" --mirror http://127.0.0.1:1 gvisor \
    >"$dir/output" 2>&1
}
expect_failure 'no network' 'Without a network' no_network
unknown_runtime() { install_runtimes xen; }
expect_failure 'an unknown runtime' 'usage:' unknown_runtime

install_runtimes || fail 'the installation'
for program in firecracker jailer containerd-shim-kata-v2 runsc containerd-shim-runsc-v1; do
  [[ -n $("$prefix/bin/$program") ]] || fail "$program does not run"
done
grep --quiet "\"$prefix/kata-.*/opt/kata/share/vmlinux\"" "$prefix"/kata-*/opt/kata/share/defaults/*.toml ||
  fail "Kata's configuration still has the release's paths"
printf 'ok: an installation\n'

# Nothing to fetch from any more: a second run must not want to.
rm -r "$mirror"
before=$(find "$prefix" -printf '%P %T@ %i\n' | grep -v '^bin\|^ \|^.lock')
install_runtimes || fail 'a second run'
[[ $before == "$(find "$prefix" -printf '%P %T@ %i\n' | grep -v '^bin\|^ \|^.lock')" ]] ||
  fail 'a second run changed something'
printf 'ok: a second run\n'
