#!/bin/bash
# Keeps one container up, on the host: adopts it where it runs, starts it where it does not, and again when it ends.
# While it runs, it publishes the pids of its processes as the host sees them:
#   var/run/CONTAINER.PROCESS.pid
# The container itself does not depend on this script: it may be killed at any time.
set -u
state=$1 name=$2 id=$3
run=$state/run/$name home=$state/containers/$name runc=(runc --root "$state/run/runc")
initfile=$state/run/$name.init.pid

# The machine's own init may take its time to bury the dead: a zombie has ended.
alive() { local state; read -r _ _ state _ < "/proc/$1/stat" && [[ $state != [ZX] ]]; } 2>/dev/null
is_ours() { [ -n "$1" ] && alive "$1" && grep -qsE "/$id/$name(/init)?\$" "/proc/$1/cgroup"; }

start() {
  "${runc[@]}" delete --force "$id-$name" >/dev/null 2>&1
  mountpoint -q "$home/root" || mount -t overlay overlay -o "lowerdir=$(cat "$home/lower"),upperdir=$home/upper,workdir=$home/work" "$home/root" || exit 1
  rm -f "$run/init.pid" "$state/run/$name".*.pid
  # The container's own first words are few; they go to a file, for no reader of ours may be in its way.
  [ "$(stat -c %s "$state/log/$name/init.log" 2>/dev/null || echo 0)" -lt 1000000 ] || : > "$state/log/$name/init.log"
  "${runc[@]}" run --detach --pid-file "$run/init.pid" --bundle "$home" "$id-$name" </dev/null >>"$state/log/$name/init.log" 2>&1 || exit 1
  init=$(<"$run/init.pid")
}

publish() { # process
  local process=$1 local_pid="" host pidfile=$state/run/$name.$1.pid
  [[ $process =~ ^[a-z0-9][a-z0-9-]*$ ]] || return
  [ -f "$run/pid/$process" ] && ! [ -L "$run/pid/$process" ] && read -r local_pid < "$run/pid/$process"
  if [[ $local_pid =~ ^[0-9]+$ ]]; then
    for host in $(grep -ls "^NSpid:.*[[:space:]]$local_pid\$" /proc/[0-9]*/status); do
      host=${host#/proc/}; host=${host%/status}
      [ "/proc/$host/ns/pid" -ef "/proc/$init/ns/pid" ] || continue
      echo "$host" > "$pidfile.new" && mv "$pidfile.new" "$pidfile"
      return
    done
  fi
  rm -f "$pidfile"
}

missed() {
  local file pid
  for file in "$run"/pid/*; do
    pid=""
    [ -f "$state/run/$name.${file##*/}.pid" ] && read -r pid < "$state/run/$name.${file##*/}.pid"
    [ -f "$file" ] && ! alive "${pid:-0}" && publish "${file##*/}"
  done
}

mkdir -p "$run/pid" "$state/log/$name"
[ -p "$run/changed" ] || mkfifo "$run/changed" || exit 1
exec 3<>"$run/changed"
while :; do
  init=$(cat "$initfile" 2>/dev/null)
  is_ours "$init" || start
  echo "$init" > "$initfile"
  since=$SECONDS
  for file in "$run"/pid/*; do [ -f "$file" ] && publish "${file##*/}"; done
  # A name that has come in part when the time is up is completed by the next look. What is missed all the same, and a
  # pid whose process has gone, is found by a look at all of them now and then.
  part="" looks=0
  while alive "$init"; do
    if read -r -t 0.2 process <&3; then
      publish "$part$process"; part=""
    else
      part+=$process looks=$((looks + 1))
      [ $((looks % 15)) -ne 0 ] || missed
    fi
  done
  echo "$name ended"
  rm -f "$state/run/$name".*.pid
  [ $((SECONDS - since)) -ge 2 ] || sleep 1
done
