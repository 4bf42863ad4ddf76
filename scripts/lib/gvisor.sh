# shellcheck shell=bash
# Finds a runsc that has the systrap platform, or fetches one. Sourced after packages.sh.

# systrap came in spring 2023; a Debian version carries its date: 0.0~20240729.0-1.
readonly RUNSC_OLDEST_DATE=20230501

names_recent_date() {
  local date
  date=$(grep -oE '20[0-9]{6}' | head -n 1) || return 1
  ((date >= RUNSC_OLDEST_DATE))
}

runsc_is_recent() { "$1" --version 2>/dev/null | names_recent_date; }

package_is_recent() {
  refresh_package_lists
  apt-cache policy runsc 2>/dev/null | grep '^ *Candidate:' | names_recent_date
}

# Exports HVBENCH_RUNSC, which hvbench prefers to the runsc in PATH. Always succeeds: the other
# runtimes do not need it.
provide_runsc() {
  local -r cached=$(cache_dir)/gvisor/root/usr/bin/runsc
  if [[ -n ${HVBENCH_RUNSC:-} ]]; then
    return
  fi
  if have runsc && runsc_is_recent runsc; then
    HVBENCH_RUNSC=$(command -v runsc)
  elif [[ -x $cached ]] && runsc_is_recent "$cached"; then
    HVBENCH_RUNSC=$cached
  elif is_root && have apt-get && package_is_recent && want_packages runsc && have runsc; then
    HVBENCH_RUNSC=$(command -v runsc)
  elif fetch_runsc "$(cache_dir)/gvisor" && runsc_is_recent "$cached"; then
    HVBENCH_RUNSC=$cached
  else
    want_packages runsc:runsc
    if have runsc; then
      HVBENCH_RUNSC=$(command -v runsc)
      runsc_is_recent runsc ||
        warn "only an old runsc is to be had here: gVisor runs with ptrace, without systrap."
    else
      warn 'no runsc is to be had here: gVisor is not measured.'
      return
    fi
  fi
  export HVBENCH_RUNSC
}

# Takes runsc from the release's backports into directory $1. The package sources of the machine
# stay as they are: apt works on lists, a cache and a source of its own.
fetch_runsc() {
  local -r dir=$1
  local source deb
  if ! is_root || ! have apt-get; then
    return 1
  fi
  source=$(backports_source) || {
    warn 'this distribution has no backports to take a newer runsc from.'
    return 1
  }
  say "fetching runsc from the distribution's backports into $dir"
  rm -rf "$dir"
  mkdir -p "$dir"/{lists/partial,archives/partial}
  printf '%s\n' "$source" >"$dir/sources.list"
  if ! { private_apt "$dir" update && (cd "$dir/archives" && private_apt "$dir" download runsc); }; then
    warn "runsc could not be fetched; $dir/apt.log says why: $(tail -n 1 "$dir/apt.log")"
    return 1
  fi
  for deb in "$dir"/archives/*.deb; do
    dpkg-deb --extract "$deb" "$dir/root.new"
  done
  mv "$dir/root.new" "$dir/root" # at once: a killed run leaves no half of a binary
  rm -rf "$dir/lists" "$dir/archives"
}

private_apt() {
  local -r dir=$1
  shift
  # Binary::apt-get hooks of a container image may delete caches: they have nothing to do here.
  apt-get -qq \
    -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir" \
    -o Dir::Cache::Archives="$dir/archives" \
    -o APT::Update::Post-Invoke-Success= -o APT::Update::Post-Invoke= \
    -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any \
    -o Acquire::AllowInsecureRepositories=false \
    "$@" >>"$dir/apt.log" 2>&1
}

# One line for sources.list, made from the machine's own entry for the same release, so that its
# mirror and its key are used. Fails where there is none.
backports_source() {
  local id codename uri entry key
  # shellcheck source=/dev/null
  id=$(. /etc/os-release && printf '%s' "${ID:-}")
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  [[ $id == debian && -n $codename ]] || return 1
  read -r uri entry < <(apt-get indextargets --format "\$(REPO_URI) \$(SOURCESENTRY)" \
    'Created-By: Packages' "Release: $codename" 'Component: main' | head -n 1) || return 1
  key=$(signing_key "${entry%:*}")
  printf 'deb %s%s %s-backports main\n' "${key:+[signed-by=$key] }" "$uri" "$codename"
}

# The keyring named in a sources file: "Signed-By: /path" or "[signed-by=/path]". Nothing where it
# names none, or has the key inside: then the machine's trusted keys decide, as for apt itself.
signing_key() {
  sed -nE -e 's/^Signed-By:[[:space:]]*(\/[^[:space:]]+).*/\1/Ip' \
    -e 's/^deb[[:space:]]*\[[^]]*signed-by=(\/[^] ]+).*/\1/Ip' "$1" | head -n 1
}
