#!/bin/bash
set -euo pipefail
. "$(dirname "$0")/environment.sh"
must_be_root down
[ -d "$YAGURA_STATE" ] || { echo "there is no cloud in $YAGURA_STATE"; exit 0; }
exec 7>"$YAGURA_STATE/.up.lock"
flock -n 7 || fail "another up or down of $YAGURA_STATE is at work"
[ -f "$YAGURA_CHECKOUT/dist/deploy/src/down.js" ] || "$YAGURA_CHECKOUT/deploy/build.sh"
"$YAGURA_NODE" "$YAGURA_CHECKOUT/dist/deploy/src/down.js" "$@" 7>&-
