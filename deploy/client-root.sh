#!/bin/bash
# In a mount namespace of its own: the client's root with the machine's folders over it; then the program in it.
set -euo pipefail
at=$YAGURA_ROOTS/mnt
mkdir -p "$at"
mount -t tmpfs tmpfs "$at"
mkdir "$at"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=$YAGURA_CLIENT_LOWER,upperdir=$at/upper,workdir=$at/work" "$at/root"
show() { mkdir -p "$at/root$1"; mount --rbind "$1" "$at/root$1"; }
for folder in /*; do
  case $folder in /bin | /sbin | /lib* | /usr | /etc | /var | /boot | /lost+found | /opt) continue ;; esac
  if [ -d "$folder" ] && ! [ -L "$folder" ]; then show "$folder"; fi
done
# What is in use may lie in one of the folders that are the client's own.
for folder in "$HERE" "$YAGURA_STATE" "$YAGURA_CHECKOUT"; do
  case $folder in /var/* | /opt/* | /usr/* | /etc/*) show "$folder" ;; esac
done
for file in /etc/resolv.conf /etc/hosts; do
  if [ -e "$file" ]; then cat "$file" > "$at/root$file"; fi
done
exec chroot "$at/root" /usr/bin/env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 PYTHONWARNINGS=ignore \
  /bin/sh -c 'cd "$HERE" && unset HERE && exec "$@"' sh "$@"
