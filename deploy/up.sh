#!/bin/bash
# One command up. Shell does only what must happen before our own Node.js is there; deploy/src/up.ts does the rest.
set -euo pipefail
. "$(dirname "$0")/environment.sh"
export YAGURA_STARTED_MS=$(date +%s%3N)
umask 022
must_be_root up
line() { printf '[%5d.%d s] %s\n' $((($(date +%s%3N) - YAGURA_STARTED_MS) / 1000)) $((($(date +%s%3N) - YAGURA_STARTED_MS) / 100 % 10)) "$1"; }

mkdir -p "$YAGURA_STATE/log" "$YAGURA_ROOTS" || fail "can not write to $YAGURA_STATE"
exec 7>"$YAGURA_STATE/.up.lock"
flock -n 7 || fail "another up or down of $YAGURA_STATE is at work"

wanted=()
for pair in mmdebstrap:mmdebstrap runc:runc s6-svscan:s6 s6-log:s6 ip:iproute2 ss:iproute2 openssl:openssl setpriv:util-linux mountpoint:util-linux; do
  command -v "${pair%%:*}" >/dev/null || wanted+=("${pair##*:}")
done
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || wanted+=(debian-archive-keyring)
if [ ${#wanted[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || fail "this machine lacks ${wanted[*]}, and has no apt-get to install them: use Debian 12 or 13, or install them"
  export DEBIAN_FRONTEND=noninteractive
  log=$YAGURA_STATE/log/packages.log
  { apt-get -q update && apt-get -q -y --no-install-recommends install "${wanted[@]}"; } >"$log" 2>&1 ||
    { tail -5 "$log" >&2; fail "installing ${wanted[*]} failed: see $log"; }
  line "installed on this machine: ${wanted[*]}"
fi

# The root takes longest and needs nothing of ours, so it is built while the rest is prepared; up.ts waits for it.
if [ ! -e "$YAGURA_ROOTS/trixie" ]; then
  line "building the Debian 13 root in the background (once; progress in $YAGURA_STATE/log/root-base.log)"
fi
set -m # a process group of its own, so that all of it can be ended
(
  "$YAGURA_CHECKOUT/deploy/root/build.sh" base >>"$YAGURA_STATE/log/root-base.log" 2>&1 &&
    nice -n 10 "$YAGURA_CHECKOUT/deploy/root/build.sh" client >>"$YAGURA_STATE/log/root-client.log" 2>&1
) 7>&- &
builder=$!
set +m
trap 'kill -TERM -- -$builder 2>/dev/null || true' EXIT
"$YAGURA_CHECKOUT/deploy/build.sh" || fail "building failed"
line "dependencies and programs built"
"$YAGURA_NODE" "$YAGURA_CHECKOUT/dist/deploy/src/up.js" "$@" 7>&-
