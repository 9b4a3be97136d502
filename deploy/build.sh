#!/bin/bash
# Dependencies (when they are not those of package-lock.json) and dist/ (what changed).
set -euo pipefail
. "$(dirname "$0")/environment.sh"
cd "$YAGURA_CHECKOUT"
umask 022
command -v npm >/dev/null || fail "npm is missing: install Node.js 18 or later with npm"
[ "$(uname -m)" = x86_64 ] || fail "only x86_64 machines are supported; this is $(uname -m)"
exec 8>"${TMPDIR:-/tmp}/yagura-build-$(printf %s "$YAGURA_CHECKOUT" | sha256sum | cut -c1-12).lock"
flock 8
node deploy/dependencies.mjs || npm ci --no-audit --no-fund --ignore-scripts --include=dev --loglevel=error
"$YAGURA_NODE" deploy/src/build.ts
