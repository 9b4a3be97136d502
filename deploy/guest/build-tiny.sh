#!/bin/bash
# Builds the two small guest images, tiny.qcow2 and tiny-alt.qcow2, from Debian's own packages.
#
#   build-tiny.sh OUTPUT-FOLDER [CACHE-FOLDER]
#
# Runs as root inside the Debian 13 root (a chroot with the host's network is enough: no mounts, no loop devices).
# An image is an ordinary BIOS disk: an MBR, a FAT partition with syslinux, the kernel and an initramfs that holds
# the whole user space, and a small ext4 partition that keeps what must survive a reboot (SSH host keys, homes).
# A second run with the same inputs does nothing. Everything that could vary (times, ids, file order) is fixed.
set -euo pipefail

[ $# -ge 1 ] || { echo "usage: $0 OUTPUT-FOLDER [CACHE-FOLDER]" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
out=$1; cache=${2:-$1/.cache}
export SOURCE_DATE_EPOCH=1735689600 LC_ALL=C MTOOLS_SKIP_CHECK=1 DEBIAN_FRONTEND=noninteractive TZ=UTC
mkdir -p "$out" "$cache"

stamp=$(cat "$here/build-tiny.sh" "$here"/files/* | sha256sum | cut -d' ' -f1)
if [ -s "$out/tiny.qcow2" ] && [ -s "$out/tiny-alt.qcow2" ] && [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then
  echo "tiny guest images are up to date"; exit 0
fi
rm -f "$out/.stamp"
work=$(mktemp -d "$cache/work.XXXXXX"); trap 'rm -rf "$work"' EXIT

say() { echo "[$SECONDS s] $*"; }

# Build tools that the root may lack. syslinux writes its boot sector through mtools, so nothing is mounted.
need=""
for pair in syslinux:syslinux mcopy:mtools mkfs.fat:dosfstools sfdisk:fdisk mke2fs:e2fsprogs cpio:cpio qemu-img:qemu-utils depmod:kmod zstd:zstd xz:xz-utils; do
  command -v "${pair%%:*}" >/dev/null || need="$need ${pair##*:}"
done
[ -s /usr/lib/syslinux/mbr/mbr.bin ] || need="$need syslinux-common"
lists_fresh() { [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -2 2>/dev/null | head -1)" ]; }
lists_fresh || { say "reading package lists"; apt-get -qq update; }
[ -z "$need" ] || { say "installing$need"; apt-get -qq install -y --no-install-recommends $need >/dev/null; }

fetch() { # package -> unpacked into $work/debs/<package>
  local version file
  version=$(apt-cache policy "$1" | awk '/Candidate:/{print $2}')
  [ -n "$version" ] && [ "$version" != "(none)" ] || { echo "no candidate for package $1" >&2; exit 1; }
  file=$(ls "$cache/${1}_${version//:/%3a}"_*.deb 2>/dev/null | head -1 || true)
  if [ -z "$file" ]; then
    rm -f "$cache/${1}_"*.deb
    (cd "$cache" && apt-get -qq -o APT::Sandbox::User=root download "$1")
    file=$(ls "$cache/${1}_"*.deb | head -1)
  fi
  mkdir -p "$work/debs/$1"; dpkg -x "$file" "$work/debs/$1"
}

kernel_package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/{print $2; exit}')
[ -n "$kernel_package" ] || { echo "cannot resolve linux-image-cloud-amd64" >&2; exit 1; }
say "packages: $kernel_package, busybox, dropbear"
for p in "$kernel_package" busybox-static dropbear-bin libtomcrypt1 libtommath1 libcrypt1 zlib1g libc6 libgmp10; do fetch "$p"; done
kernel=${kernel_package#linux-image-}
kernel_tree=$work/debs/$kernel_package

# --- the user space -------------------------------------------------------------------------------------------------
root=$work/root
mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,usr/lib/x86_64-linux-gnu,etc/acpi/PWRF,etc/dropbear,proc,sys,dev,run,tmp,data,config,modules,root,home/tiny,var/log}
ln -s usr/lib "$root/lib"; mkdir -p "$root/usr/lib64"; ln -s usr/lib64 "$root/lib64"; ln -s ../run "$root/var/run"
install -m 755 "$work"/debs/busybox-static/*bin/busybox "$root/bin/busybox" 2>/dev/null || install -m 755 "$work"/debs/busybox-static/usr/bin/busybox "$root/bin/busybox"
for applet in $("$root/bin/busybox" --list); do [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"; done
ln -s ../bin/busybox "$root/sbin/init"
install -m 755 "$work/debs/dropbear-bin/usr/sbin/dropbear" "$root/sbin/dropbear"
install -m 755 "$work/debs/dropbear-bin/usr/bin/dropbearkey" "$root/bin/dropbearkey"
lib() { find "$work/debs" -path "*/lib*/x86_64-linux-gnu/$1" | head -1; }
for so in libc.so.6 libcrypt.so.1 libtomcrypt.so.1 libtommath.so.1 libz.so.1 libgmp.so.10; do
  cp -L "$(lib "$so")" "$root/usr/lib/x86_64-linux-gnu/$so"
done
cp -L "$(find "$work/debs/libc6" -name 'ld-linux-x86-64.so.2' | head -1)" "$root/usr/lib64/ld-linux-x86-64.so.2"
chmod 755 "$root/usr/lib64/ld-linux-x86-64.so.2"
cp "$here/files/passwd" "$here/files/group" "$here/files/shadow" "$here/files/inittab" "$here/files/profile" "$root/etc/"
chmod 600 "$root/etc/shadow"; echo /bin/sh > "$root/etc/shells"; echo 'passwd: files' > "$root/etc/nsswitch.conf"
echo '127.0.0.1 localhost' > "$root/etc/hosts"
install -m 755 "$here/files/rc" "$root/etc/rc"
install -m 755 "$here/files/dhcp" "$root/etc/dhcp"
install -m 755 "$here/files/power-button" "$root/etc/acpi/PWRF/00000080"
install -m 755 "$here/files/init" "$root/init"

# Kernel modules, uncompressed (the initramfs is compressed as a whole) and in an order that insmod can follow.
depmod -b "$kernel_tree/usr" "$kernel" 2>/dev/null || true
modtree=$kernel_tree/usr; [ -d "$modtree/lib/modules/$kernel" ] || modtree=$kernel_tree
depmod -b "$modtree" "$kernel"
take() { # list-name module...
  local list=$root/modules/$1; shift; : > "$list.tmp"
  for m in "$@"; do modprobe -d "$modtree" -S "$kernel" --show-depends "$m" 2>/dev/null | awk '/^insmod/{print $2}' >> "$list.tmp" || true; done
  awk '!seen[$0]++' "$list.tmp" | while read -r f; do
    name=$(basename "$f"); name=${name%.xz}; name=${name%.zst}
    if [ ! -e "$root/modules/$name" ]; then
      case "$f" in *.xz) xz -dc "$f" > "$root/modules/$name";; *.zst) zstd -qdc "$f" > "$root/modules/$name";; *) cp "$f" "$root/modules/$name";; esac
    fi
    echo "$name"
  done > "$list"; rm -f "$list.tmp"
}
take early virtio_pci virtio_net virtio_blk virtio_scsi sd_mod ext4 crc32c_generic
take late sr_mod isofs button evdev virtio-rng virtio_balloon virtio_console

# --- one image ------------------------------------------------------------------------------------------------------
build() { # name size-MiB banner
  local name=$1 size=$2 banner=$3 disk=$work/$1.raw boot=$work/$1.fat data=$work/$1.ext4
  local total=$((size * 2048)) boot_start=2048 boot_sectors=$((40 * 2048)); local data_start=$((boot_start + boot_sectors))
  local data_sectors=$((total - data_start))
  rm -rf "$work/$name.root"; cp -a "$root" "$work/$name.root"
  { echo "IMAGE_NAME=$name"; echo "IMAGE_BANNER='$banner'"; } > "$work/$name.root/etc/image"
  find "$work/$name.root" -depth -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  (cd "$work/$name.root" && find . -print0 | sort -z | cpio --null -o -H newc --quiet --reproducible -R 0:0) | zstd -q -T1 -10 > "$work/$name.initrd"

  sed "s|@NAME@|$name|g" "$here/files/syslinux.cfg" > "$work/syslinux.cfg"
  rm -f "$boot"; truncate -s $((boot_sectors * 512)) "$boot"
  mkfs.fat -F 16 -n TINYBOOT -i 7469006e --invariant -h $boot_start "$boot" >/dev/null
  for f in "$kernel_tree/boot/vmlinuz-$kernel:vmlinuz" "$work/$name.initrd:initrd" "$work/syslinux.cfg:syslinux.cfg"; do
    touch -d "@$SOURCE_DATE_EPOCH" "${f%%:*}"; mcopy -m -i "$boot" "${f%%:*}" "::${f##*:}"
  done
  syslinux --install "$boot"

  rm -rf "$work/$name.data"; mkdir -p "$work/$name.data"/{root,home/tiny,dropbear,state}
  chmod 700 "$work/$name.data/root" "$work/$name.data/dropbear"; chown -R 1000:1000 "$work/$name.data/home/tiny"
  rm -f "$data"; truncate -s $((data_sectors * 512)) "$data"
  E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -O ^has_journal,^metadata_csum_seed -E hash_seed=7469006e-0000-4000-8000-000000000001,root_owner=0:0 \
    -U 7469006e-0000-4000-8000-000000000002 -L tiny-data -d "$work/$name.data" "$data"

  rm -f "$disk"; truncate -s $((total * 512)) "$disk"
  printf 'label: dos\nlabel-id: 0x7469006e\nstart=%d, size=%d, type=e, bootable\nstart=%d, size=%d, type=83\n' \
    $boot_start $boot_sectors $data_start $data_sectors | sfdisk -q --no-reread --no-tell-kernel "$disk"
  dd if=/usr/lib/syslinux/mbr/mbr.bin of="$disk" bs=440 count=1 conv=notrunc status=none
  dd if="$boot" of="$disk" bs=1M seek=1 conv=notrunc,sparse status=none
  dd if="$data" of="$disk" bs=512 seek=$data_start conv=notrunc,sparse status=none
  qemu-img convert -f raw -O qcow2 -o cluster_size=65536 "$disk" "$out/$name.qcow2.part"
  mv "$out/$name.qcow2.part" "$out/$name.qcow2"
  say "$name.qcow2: $(($(stat -c %s "$out/$name.qcow2") / 1024)) KiB, virtual $size MiB, kernel $kernel"
}
build tiny 64 "tiny: a small guest for trying a cloud"
build tiny-alt 96 "tiny-alt: the other small guest, for rebuilds and comparisons"
echo "$stamp" > "$out/.stamp"
