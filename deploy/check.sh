#!/bin/bash
# What must hold before each commit: format and lint, types, boundaries, unit tests. Needs nothing but the checkout.
# check.sh --no-tests leaves the unit tests out.
set -uo pipefail
. "$(dirname "$0")/environment.sh"
cd "$YAGURA_CHECKOUT"
export PATH=$(dirname "$YAGURA_NODE"):$PWD/node_modules/.bin:$PATH
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# stage NAME COMMAND...: runs it quietly; one line when it is done, its output only when it failed.
stage() {
  local name=$1 from=$EPOCHREALTIME verdict=ok
  shift
  "$@" >"$logs/$name" 2>&1 || verdict=FAIL
  local took=$(( (${EPOCHREALTIME/[.,]/} - ${from/[.,]/}) / 100000 ))
  printf '%-5s %-12s %3d.%d s   %s\n' "$verdict" "$name" $((took / 10)) $((took % 10)) "$(summary "$name")"
  [ "$verdict" = ok ] && return
  touch "$logs/.failed"
  grep -av '✓' "$logs/$name" | tail -n "${YAGURA_CHECK_LINES:-80}" | sed 's/^/      /'
}

# The one line of a stage's output that says how much it looked at.
summary() {
  sed 's/\x1b\[[0-9;]*m//g' "$logs/$1" | case $1 in
    format+lint) grep -aoE 'Checked [0-9]+ files' ;;
    boundaries) tail -n 1 ;;
    unit-tests) grep -aE '^ +Tests ' | sed 's/^ *Tests *//' ;;
  esac
}

types() { tsc -p . --noEmit; }
format_lint() { biome check --diagnostic-level=error --max-diagnostics=50 --colors=off; }
boundaries() { "$YAGURA_NODE" dist/libs/lint/src/main.js; }
# One worker runs many files: that halves the CPU, and unit tests share nothing but modules.
unit_tests() { YAGURA_TESTS=unit vitest run --reporter=default --no-isolate; }

stage build deploy/build.sh
stage types types &
stage format+lint format_lint
stage boundaries boundaries
wait
[ "${1:-}" = --no-tests ] || stage unit-tests unit_tests
[ ! -e "$logs/.failed" ] || { echo 'check: failed' >&2; exit 1; }
echo 'check: all is well'
