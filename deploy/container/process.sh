# Sourced by the run script of every process (and, with $retiring set, by its finish script). $process is its name.
# The pid file says the pid as this container sees it; the keeper outside translates it into var/run.
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
export PATH LC_ALL

# Opening the pipe for reading and writing never waits for a reader; the keeper also scans when it starts.
tell_keeper() { echo "$process" 1<>/run/yagura/changed; }

if [ -n "${retiring:-}" ]; then
  started=$(stat -c %Y "/run/yagura/pid/$process" 2>/dev/null || date +%s)
  rm -f "/run/yagura/pid/$process"
  tell_keeper
  # The supervisor waits a second before each start, against processes that die at once. One that had lived is
  # started without that wait.
  if [ $(($(date +%s) - started)) -ge 2 ] && [ "$(s6-svstat -o wantedup "$PWD")" = true ]; then
    (sleep 0.03; exec s6-svc -u "$PWD") >/dev/null 2>&1 &
  fi
  exit 0
fi

. /etc/yagura/env
echo $$ > "/run/yagura/pid/$process"
tell_keeper

# A script may set $niceness: everybody waits for the data stores, so they go first on a busy machine.
# A supervised process never outlives its supervisor: the next supervisor could not know of it.
as_root() { exec ${niceness:+nice -n "$niceness"} setpriv --pdeathsig KILL -- "$@"; }
as_user() { # user command...
  user=$1; shift
  exec ${niceness:+nice -n "$niceness"} setpriv --reuid "$user" --regid "$user" --init-groups --no-new-privs --pdeathsig KILL -- "$@"
}
# What else runs in this container as that user is left over from before the last death.
clear_user() { pkill -KILL -u "$1" "${2:-.}" 2>/dev/null && sleep 0.1; true; }
own() { # user directory: create it for the user, and adopt it after a change of user numbers
  mkdir -p "$2"
  [ "$(stat -c %U "$2")" = "$1" ] || chown -R "$1:" "$2"
}
wait_for() { # seconds command...: until the command succeeds; gives up so that the supervisor tries again
  left=$(($1 * 10)); shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1)); [ $left -gt 0 ] || { echo "gave up waiting for: $*"; exit 1; }
    sleep 0.1
  done
}
