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
# A lock file that was written where packages of other platforms could not be fetched does not satisfy `npm ci`.
npm_flags=(--no-audit --no-fund --ignore-scripts --include=dev --loglevel=error)
node deploy/dependencies.mjs || npm ci "${npm_flags[@]}" 2>/dev/null || npm install --no-save "${npm_flags[@]}"
"$YAGURA_NODE" deploy/src/build.ts
