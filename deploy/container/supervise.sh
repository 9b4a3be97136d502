#!/bin/bash
# Starts the host's supervisor for one cloud. At most one lives per state folder: orphans of an earlier one end first.
set -u
state=$1
cd "$state/run/sv" || exit 1
bash "$(dirname "$0")/orphans.sh" "$state"
echo $$ > "$state/run/host.supervisor.pid"
exec s6-svscan "$state/run/sv" >"$state/log/host.supervisor.log" 2>&1
