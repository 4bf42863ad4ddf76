# shellcheck shell=bash
# Makes the root file system of the applications: nginx and a MySQL server out of the distribution's
# packages, the same tree for every runtime. Sourced after gvisor.sh.
#
# $HVBENCH_DATABASE names the server: mariadb, or mysql where the distribution has that.

# No file in it is younger, so that the same packages give the same bytes.
readonly APPLICATION_ROOT_EPOCH=1577836800 # 2020-01-01
readonly APPLICATION_ROOT_EXCLUDED=(doc info lintian locale man) # of /usr/share

# Without it, hvbench skips the cells of the applications: only a database that cannot be had ends the
# script. Made anew when what it is made of changes: packages, sources, or this recipe.
provide_application_root() {
  local -r dir=$(cache_dir)/application-root
  local recipe
  if [[ -n ${HVBENCH_APPLICATION_ROOT:-} ]]; then
    say "applications: $HVBENCH_APPLICATION_ROOT"
    return
  fi
  if ! have mmdebstrap || ! have mke2fs; then
    warn 'no mmdebstrap or mke2fs: the applications (nginx, mysql) are not measured.'
    return
  fi
  database_package >/dev/null || die "HVBENCH_DATABASE=$HVBENCH_DATABASE: apt-cache knows no package of it." \
    'Leave it out for MariaDB; or try apt-get update, or a root file system of your own that has' \
    '/usr/sbin/mysqld (HVBENCH_APPLICATION_ROOT). Ubuntu has MySQL, Debian has it in sid alone.'
  recipe=$(application_root_recipe)
  if [[ ! -e $dir/id || $(<"$dir/recipe") != "$recipe" ]] && ! make_application_root "$dir" "$recipe"; then
    warn 'the root file system of the applications could not be made: they are not measured.'
    return
  fi
  say "applications: $dir ($(du --summarize --block-size=1M "$dir/tree" | cut -f1) MiB, $(<"$dir/id"))"
}

application_packages() {
  printf '%s\n' nginx-light "$(database_package)" openssl
}

# Fails where there is none. MySQL's name depends on the distribution and its release.
database_package() {
  local package
  case ${HVBENCH_DATABASE:-mariadb} in
    mariadb)
      printf 'mariadb-server-core\n'
      return
      ;;
    mysql)
      for package in mysql-server-core{,-8.4,-8.0}; do
        [[ -n $(candidate_of "$package") ]] || continue
        printf '%s\n' "$package"
        return
      done
      ;;
  esac
  return 1
}

# The version that would be installed, "" where there is none.
candidate_of() {
  apt-cache policy "$1" 2>/dev/null | sed -n '/(none)/d; s/^ *Candidate: //p'
}

# All that decides what is in the tree, as text.
application_root_recipe() {
  local package
  printf 'epoch %s\n' "$APPLICATION_ROOT_EPOCH"
  printf 'excluded %s\n' "${APPLICATION_ROOT_EXCLUDED[*]}"
  distribution_sources
  for package in $(application_packages); do
    printf '%s %s\n' "$package" "$(candidate_of "$package")"
  done
}

# The machine's own entries for its release, its updates and its security fixes; no third party's.
distribution_sources() {
  local id codename uri release component entry key
  # shellcheck source=/dev/null
  id=$(. /etc/os-release && printf '%s' "${ID:-}")
  codename=$(distribution_codename)
  # shellcheck disable=SC2016  # apt-get fills them in
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SOURCESENTRY)' \
    'Created-By: Packages' "Origin: ${id^}" 2>/dev/null |
    grep -E " $codename(-updates|-security)? (main|universe) " | sort -u |
    while read -r uri release component entry; do
      key=$(signing_key "${entry%:*}")
      printf 'deb %s%s %s %s\n' "${key:+[signed-by=$key] }" "$uri" "$release" "$component"
    done
}

distribution_codename() {
  # shellcheck source=/dev/null
  (. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-}")
}

make_application_root() {
  local -r dir=$1 recipe=$2
  local packages excluded
  local -a options=(--variant=essential --aptopt='APT::Install-Recommends "false"')
  packages=$(application_packages | paste -sd,)
  for excluded in "${APPLICATION_ROOT_EXCLUDED[@]}"; do
    options+=(--dpkgopt="path-exclude=/usr/share/$excluded/*")
  done
  say "making the root file system of the applications in $dir ($packages)"
  rm -rf "$dir"
  mkdir -p "$dir/tree.new"
  distribution_sources >"$dir/sources.list"
  SOURCE_DATE_EPOCH=$APPLICATION_ROOT_EPOCH mmdebstrap "${options[@]}" --include="$packages" \
    "$(distribution_codename)" "$dir/root.tar" "$dir/sources.list" >"$dir/log" 2>&1 || {
    tail -n 10 "$dir/log" >&2
    return 1
  }
  tar --extract --numeric-owner --directory "$dir/tree.new" --file "$dir/root.tar" || return 1
  mv "$dir/tree.new" "$dir/tree"
  printf '%s' "$recipe" >"$dir/recipe"
  sha256sum "$dir/root.tar" | cut -d' ' -f1 >"$dir/id" # last: it says that all is there
}
