#!/bin/bash
# Builds the Debian 13 root (`base`) or the stock client's layer over it (`client`)
# under $YAGURA_ROOTS, once for each list of packages, and prints its path.
# Invariant: a directory without the suffix .part is complete; only a rename makes it so.
# Build RECIPE up when a change below changes the result for an unchanged list.
set -euo pipefail
RECIPE=1
kind=${1:?base or client}
here=$(cd "$(dirname "$0")" && pwd)
roots=${YAGURA_ROOTS:?the folder that holds the roots}
suite=trixie
list() { sed 's/#.*//' "$here/$1" | xargs; }
key() { { echo "$RECIPE $suite"; list packages.txt; [ "$1" = base ] || list client-packages.txt; } | sha256sum | cut -c1-12; }

base=$roots/$suite-$(key base)
client=$roots/client-$(key client)
case $kind in base) target=$base ;; client) target=$client ;; *) echo "$0: base or client" >&2; exit 2 ;; esac

mkdir -p "$roots"
exec 9>"$roots/$kind.lock"
flock 9
if [ -d "$target" ]; then echo "$target"; exit 0; fi

part=$target.part
unmount() { # everything mounted at or below $1, deepest first
  { awk -v p="$1" '$2 == p || index($2, p "/") == 1 {print $2}' /proc/self/mounts | sort -r | xargs -r -n1 umount -l; } || true
}
discard() { unmount "$part.mnt"; unmount "$part"; rm -rf --one-file-system "$part" "$part.work" "$part.mnt"; }
discard
trap 'st=$?; [ $st = 0 ] || discard; exit $st' EXIT
trap 'exit 143' TERM INT HUP

if [ "$kind" = base ]; then
  mmdebstrap --mode=root --format=directory --variant=minbase --include="$(list packages.txt | tr ' ' ,)" \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Retries "5"' --aptopt='Acquire::Languages "none"' \
    --dpkgopt='force-unsafe-io' --dpkgopt='force-confold' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --essential-hook='mkdir -p "$1/etc/postgresql-common"; echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"' \
    --customize-hook="'$here/guest-kernel.sh' \"\$1\"" \
    --customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1/etc/machine-id"; touch "$1/etc/resolv.conf" "$1/etc/machine-id"; mkdir -p "$1/yagura" "$1/host/proc"' \
    "$suite" "$part" ${YAGURA_MIRROR:+"$YAGURA_MIRROR"} >&2
else
  [ -d "$base" ] || { echo "$0: build the base first" >&2; exit 1; }
  mkdir -p "$part" "$part.work" "$part.mnt"
  mount -t overlay overlay -o "lowerdir=$base,upperdir=$part,workdir=$part.work" "$part.mnt"
  mount -t proc proc "$part.mnt/proc"
  mount --bind /dev "$part.mnt/dev"
  cat /etc/resolv.conf > "$part.mnt/etc/resolv.conf"
  printf '#!/bin/sh\nexit 101\n' > "$part.mnt/usr/sbin/policy-rc.d"; chmod +x "$part.mnt/usr/sbin/policy-rc.d"
  in_root() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root chroot "$part.mnt" "$@"; }
  in_root apt-get -q update >&2
  in_root apt-get -q -y --no-install-recommends install $(list client-packages.txt) >&2
  in_root apt-get clean
  rm -rf "$part.mnt/usr/sbin/policy-rc.d" "$part.mnt"/var/lib/apt/lists/*
  unmount "$part.mnt"
  rm -rf "$part.work" "$part.mnt"
fi
mv "$part" "$target"
# Earlier builds go, except those that something still has mounted.
prefix=$([ "$kind" = base ] && echo $suite || echo client)
for old in "$roots/$prefix"-*; do
  case $old in "$target" | *.part | *.part.*) continue ;; esac
  grep -qF "$old" /proc/self/mounts || rm -rf --one-file-system "$old"
done
ln -sfn "$(basename "$target")" "$roots/$prefix"
echo "$target"
