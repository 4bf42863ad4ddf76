# shellcheck shell=bash
# Fetches the Linux that virtual machines run, as the distribution's package has it, without
# installing it. Sourced after packages.sh.

# Exports HVBENCH_GUEST_KERNEL. Always succeeds: without one, hvbench reports the virtual machines as
# unusable. A kernel in /boot is not looked at: it need not be made for clouds, and bare machines
# differ in what they have.
provide_guest_kernel() {
  local -r dir=$(cache_dir)/guest-kernel
  if [[ -n ${HVBENCH_GUEST_KERNEL:-} ]]; then
    return
  fi
  if [[ -z $(guest_kernel_in "$dir/root") ]] && ! fetch_guest_kernel "$dir"; then
    warn "no guest kernel is to be had here: virtual machines are not measured."
    return
  fi
  HVBENCH_GUEST_KERNEL=$(guest_kernel_in "$dir/root")
  export HVBENCH_GUEST_KERNEL
}

guest_kernel_in() { compgen -G "$1/boot/vmlinuz-*" | sort -V | tail -n 1; }

# The package with the image itself, behind the one that always names the newest.
guest_kernel_package() {
  local meta image
  for meta in linux-image-cloud-amd64 linux-image-virtual; do
    image=$(apt-cache depends --no-recommends --no-suggests --important "$meta" 2>/dev/null |
      sed -nE 's/^ *Depends: (linux-image-[0-9].*)$/\1/p' | head -n 1)
    [[ -z $image ]] || break
  done
  [[ -n $image ]] && printf '%s\n' "$image"
}

# Ubuntu has the modules in a package of their own.
module_package() {
  apt-cache depends --no-recommends --no-suggests --important "$1" |
    sed -nE 's/^ *Depends: (linux-modules-[0-9].*)$/\1/p' | head -n 1
}

fetch_guest_kernel() {
  local -r dir=$1
  local image release deb
  local -a packages
  if ! have apt-get || ! have depmod; then
    return 1
  fi
  refresh_package_lists
  image=$(guest_kernel_package) || return 1
  mapfile -t packages < <(printf '%s\n' "$image" && module_package "$image")
  say "fetching the guest kernel $image into $dir"
  rm -rf "$dir"
  mkdir -p "$dir/archives" "$dir/root.new/usr/lib"
  ln -s usr/lib "$dir/root.new/lib" # newer packages have the one, older ones the other
  # As root of its own: apt's user may not write here.
  (cd "$dir/archives" && apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}") \
    >"$dir/apt.log" 2>&1 || {
    warn "it could not be fetched; $dir/apt.log says why: $(tail -n 1 "$dir/apt.log")"
    return 1
  }
  for deb in "$dir"/archives/*.deb; do
    unpack_below "$deb" "$dir/root.new"
  done
  release=$(basename "$(guest_kernel_in "$dir/root.new")")
  depmod --basedir "$dir/root.new" "${release#vmlinuz-}"
  rm -rf "$dir/archives"
  mv "$dir/root.new" "$dir/root" # at once: a killed run leaves no half of a kernel
}

# dpkg-deb --extract would replace the link "lib" by a folder.
unpack_below() { dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --directory "$2"; }
