#!/bin/sh
# Unpacks Debian's cloud kernel (boot image and modules, never installed) into
# ROOT/opt/guest-kernel, where the builder of guest images finds it.
set -eu
root=$1
in_root() { chroot "$root" "$@"; }
name=$(in_root apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-[0-9]/ {print $2; exit}')
in_root sh -eu -c '
  mkdir -p /opt/guest-kernel /tmp/kernel && cd /tmp/kernel
  apt-get -q download "$1"
  dpkg -x ./*.deb /opt/guest-kernel
  cd / && rm -rf /tmp/kernel' sh "$name"
release=$(ls "$root/opt/guest-kernel/usr/lib/modules" 2>/dev/null || ls "$root/opt/guest-kernel/lib/modules")
modules=$(cd "$root/opt/guest-kernel" && ls -d usr/lib/modules/* lib/modules/* 2>/dev/null | head -1)
in_root depmod -b "/opt/guest-kernel/${modules%%lib/modules/*}" "$release"
