db=/var/lib/openvswitch/conf.db
schema=/usr/share/openvswitch/vswitch.ovsschema
mkdir -p /var/lib/openvswitch /run/openvswitch
[ -s $db ] || ovsdb-tool create $db $schema || exit 1
[ "$(ovsdb-tool needs-conversion $db $schema)" != yes ] || ovsdb-tool convert $db $schema || exit 1
rm -f /run/openvswitch/db.sock /run/openvswitch/ovsdb-server.ctl
as_root ovsdb-server -vconsole:warn -vsyslog:off --remote=punix:/run/openvswitch/db.sock --unixctl=/run/openvswitch/ovsdb-server.ctl $db
