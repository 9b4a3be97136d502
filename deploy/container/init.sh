#!/bin/sh
# First process of every container: lays out one supervised service per line of /etc/yagura/processes
# ("name script"), then becomes the supervisor. Run again as `init.sh refresh` it follows a changed list.
set -eu
here=/yagura/deploy/container
scan=/run/sv

lay_out() { # name script
  sv=$scan/$1
  [ -d "$sv" ] && return 0
  part=$scan/.$1; rm -rf "$part"; mkdir -p "$part/log"
  printf '#!/bin/sh\nexec 2>&1\nprocess=%s\n. %s/process.sh\n. %s/processes/%s.sh\n' "$1" $here $here "$2" > "$part/run"
  printf '#!/bin/sh\nprocess=%s retiring=yes\n. %s/process.sh\n' "$1" $here > "$part/finish"
  printf '#!/bin/sh\nexec setpriv --pdeathsig KILL s6-log -b n3 s2000000 %s /var/log/yagura/%s\n' "$(stamp "$2")" "$1" > "$part/log/run"
  echo 8000 > "$part/timeout-kill"
  case $2 in postgresql) echo INT > "$part/down-signal" ;; esac
  chmod +x "$part/run" "$part/finish" "$part/log/run"
  mv "$part" "$sv"
}
# Our own services write JSON lines with their own times.
stamp() { case $1 in service | agent) ;; *) echo T ;; esac; }

mkdir -p $scan /run/yagura/pid /var/log/yagura
while read -r name script; do lay_out "$name" "$script"; done < /etc/yagura/processes

if [ "${1:-}" = refresh ]; then
  for sv in $scan/*; do
    name=${sv##*/}
    grep -q "^$name " /etc/yagura/processes && continue
    s6-svunlink $scan "$name" 2>/dev/null || { s6-svc -xd "$sv" "$sv/log"; rm -rf "$sv"; }
  done
  exec s6-svscanctl -a $scan
fi
rm -f /run/yagura/pid/*
# In the unified layout a control group with children may hold no processes itself, and libvirt makes children: so
# everything of ours goes one level down first.
if [ -w /sys/fs/cgroup/cgroup.subtree_control ]; then
  mkdir -p /sys/fs/cgroup/init
  echo $$ > /sys/fs/cgroup/init/cgroup.procs
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true; done
fi
exec s6-svscan $scan
