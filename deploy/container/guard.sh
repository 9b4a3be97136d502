#!/bin/bash
# Watches the host's supervisor, which supervises this: when it dies, everything below it is orphaned, so the orphans
# (supervisors and keepers, not the containers) are ended and a new tree is started, which adopts the containers.
set -u
state=$1
pid=$(cat "$state/run/host.supervisor.pid")
exec 3<> <(:)
alive() { local state; read -r _ _ state _ < "/proc/$pid/stat" && [[ $state != [ZX] ]]; } 2>/dev/null
while alive; do read -r -t 0.5 <&3; done
exec setsid "$(dirname "$0")/supervise.sh" "$state" </dev/null >/dev/null 2>&1
