#!/bin/bash
# Builds the guest images in the Debian 13 root, in a throw-away layer over it: build.sh OUTPUT-FOLDER
set -euo pipefail
. "$(dirname "$0")/../environment.sh"
out=${1:?build.sh OUTPUT-FOLDER}
mkdir -p "$out"
export out root=$(readlink -f "$YAGURA_ROOTS/trixie")
exec unshare --mount --propagation private bash -euc '
  at=$YAGURA_ROOTS/mnt; mkdir -p "$at"; mount -t tmpfs tmpfs "$at"; mkdir "$at"/{upper,work,root}
  mount -t overlay overlay -o "lowerdir=$root,upperdir=$at/upper,workdir=$at/work" "$at/root"
  mkdir -p "$at/root"/{guest,out}
  mount --bind "$YAGURA_CHECKOUT/deploy/guest" "$at/root/guest"; mount --bind "$out" "$at/root/out"
  mount --rbind /dev "$at/root/dev"; mount -t proc proc "$at/root/proc"; mount -t tmpfs tmpfs "$at/root/tmp"
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$at/root" /guest/build-tiny.sh /out'
