#!/bin/bash
# Builds the two small guest images, tiny.qcow2 and tiny-alt.qcow2, from Debian's own packages.
#
#   build-tiny.sh OUTPUT-FOLDER
#
# Runs as root inside the Debian 13 root; a chroot is enough: no network, no mounts, no loop devices.
# An image boots under BIOS and UEFI: an MBR, a FAT partition with syslinux, systemd-boot, the kernel and an initramfs that
# holds the whole user space, and a small ext4 partition that keeps what must survive a reboot (SSH host keys, homes).
# A second run with the same inputs does nothing. Everything that could vary (times, ids, file order) is fixed.
set -euo pipefail

[ $# -ge 1 ] || { echo "usage: $0 OUTPUT-FOLDER" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
out=$1
export SOURCE_DATE_EPOCH=1735689600 LC_ALL=C MTOOLS_SKIP_CHECK=1 TZ=UTC
mkdir -p "$out"

stamp=$(cat "$here/build-tiny.sh" "$here"/files/* | sha256sum | cut -d' ' -f1)
if [ -s "$out/tiny.qcow2" ] && [ -s "$out/tiny-alt.qcow2" ] && [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then
  echo "tiny guest images are up to date"; exit 0
fi
rm -f "$out/.stamp"
work=$(mktemp -d "$out/.work.XXXXXX"); trap 'rm -rf "$work"' EXIT

say() { echo "[$SECONDS s] $*"; }

# The root carries the tools, busybox, dropbear and the unpacked kernel (deploy/root/packages.txt); nothing is fetched.
# syslinux writes its boot sector through mtools, so nothing is mounted either.
for tool in syslinux mcopy mkfs.fat sfdisk mke2fs cpio qemu-img modprobe zstd xz busybox dropbear dropbearkey ldd; do
  command -v "$tool" >/dev/null || { echo "$0: $tool is missing; run inside the Debian 13 root" >&2; exit 69; }
done
efi_loader=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
[ -f "$efi_loader" ] || { echo "$0: systemd-boot-efi is missing; run inside the Debian 13 root" >&2; exit 69; }
kernel_tree=${GUEST_KERNEL:-/opt/guest-kernel}
kernel=$(ls "$kernel_tree/boot" | sed -n 's/^vmlinuz-//p' | sort -V | tail -1)
[ -n "$kernel" ] || { echo "$0: no kernel in $kernel_tree/boot" >&2; exit 69; }

# --- the user space -------------------------------------------------------------------------------------------------
root=$work/root
mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,usr/lib/x86_64-linux-gnu,etc/acpi/PWRF,etc/dropbear,proc,sys,dev,run,tmp,data,mnt,config,modules,root,home/tiny,var/log}
ln -s usr/lib "$root/lib"; mkdir -p "$root/usr/lib64"; ln -s usr/lib64 "$root/lib64"; ln -s ../run "$root/var/run"
install -m 755 "$(readlink -f "$(command -v busybox)")" "$root/bin/busybox"
for applet in $("$root/bin/busybox" --list); do [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"; done
ln -s ../bin/busybox "$root/sbin/init"
install -m 755 "$(command -v dropbear)" "$root/sbin/dropbear"
install -m 755 "$(command -v dropbearkey)" "$root/bin/dropbearkey"
{ ldd "$(command -v busybox)" "$root/sbin/dropbear" "$root/bin/dropbearkey" 2>/dev/null || true; } | awk '/=> \//{print $3} /^\t\/lib64/{print $1}' | sort -u | while read -r so; do
  mkdir -p "$root$(dirname "$so")"; cp -L "$so" "$root$so"
done
cp "$here/files/passwd" "$here/files/group" "$here/files/shadow" "$here/files/inittab" "$here/files/profile" "$root/etc/"
chmod 600 "$root/etc/shadow"; echo /bin/sh > "$root/etc/shells"; echo 'passwd: files' > "$root/etc/nsswitch.conf"
echo '127.0.0.1 localhost' > "$root/etc/hosts"
install -m 755 "$here/files/rc" "$root/etc/rc"
install -m 755 "$here/files/guest-agent" "$root/sbin/guest-agent"
install -m 755 "$here/files/dhcp" "$root/etc/dhcp"
install -m 755 "$here/files/power-button" "$root/etc/acpi/PWRF/00000080"
install -m 755 "$here/files/init" "$root/init"
for tool in sudo curl blkid lsblk nc; do rm -f "$root/bin/$tool"; install -m 755 "$here/files/$tool" "$root/bin/$tool"; done

# Kernel modules, uncompressed (the initramfs is compressed as a whole) and in an order that insmod can follow.
modtree=$kernel_tree/usr; [ -d "$modtree/lib/modules/$kernel" ] || modtree=$kernel_tree
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
# What few machines have, for each a list that is loaded only there.
take ata ahci ata_piix
take watchdog i6300esb

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
  printf 'title %s\nlinux /vmlinuz\ninitrd /initrd\noptions %s\n' "$name" "$(sed -n 's/^ *APPEND //p' "$work/syslinux.cfg")" > "$work/tiny.conf"
  mmd -i "$boot" ::EFI ::EFI/BOOT ::loader ::loader/entries
  touch -d "@$SOURCE_DATE_EPOCH" "$work/tiny.conf"
  mcopy -m -i "$boot" "$work/tiny.conf" ::loader/entries/tiny.conf
  mcopy -i "$boot" "$efi_loader" ::EFI/BOOT/BOOTX64.EFI

  rm -rf "$work/$name.data"; mkdir -p "$work/$name.data"/{root,home/tiny,dropbear,state}
  chmod 700 "$work/$name.data/root" "$work/$name.data/dropbear"
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
