#!/bin/sh
# The first process of the lab, in its initramfs: makes this machine's files, with a layer of memory
# over them, the root, and hands over to lab_session.sh there.
set -e
export PATH=/bin
for module in /*.ko; do insmod "$module"; done
mount -t virtiofs host /host
mount -t tmpfs -o size=75% tmpfs /writable
mkdir /writable/upper /writable/work
mount -t overlay -o lowerdir=/host,upperdir=/writable/upper,workdir=/writable/work overlay /newroot
mount -t devtmpfs devtmpfs /newroot/dev
mount -t proc proc /newroot/proc
mount -t sysfs sysfs /newroot/sys
mount -t tmpfs tmpfs /newroot/run
read -r parameters </newroot/proc/cmdline
for parameter in $parameters; do
  case $parameter in hvbench.session=*) session=${parameter#*=} ;; esac
done
# The folders that outlive the lab lie below it; lab_session.sh binds them.
mkdir /newroot/run/host
mount --no-mtab --move /host /newroot/run/host
exec switch_root /newroot /bin/bash "$session/lab_session.sh" "$session"
