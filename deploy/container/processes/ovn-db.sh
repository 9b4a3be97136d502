# Northbound (what the network service wants) or southbound (what the nodes do), by the name of the process.
case $process in
  ovn-nb) schema=ovn-nb socket=ovnnb_db remotes="--remote=ptcp:6641:127.0.0.1" ;;
  ovn-sb) schema=ovn-sb socket=ovnsb_db remotes="--remote=ptcp:6642:127.0.0.1 --remote=db:OVN_Southbound,SB_Global,connections
    --private-key=/etc/yagura/tls/ovn.key --certificate=/etc/yagura/tls/ovn.crt --ca-cert=/etc/yagura/tls/ca.crt" ;;
esac
db=/var/lib/ovn/$socket.db
mkdir -p /var/lib/ovn /run/ovn
[ -s $db ] || ovsdb-tool create $db /usr/share/ovn/$schema.ovsschema || exit 1
[ "$(ovsdb-tool needs-conversion $db /usr/share/ovn/$schema.ovsschema)" != yes ] || ovsdb-tool convert $db /usr/share/ovn/$schema.ovsschema || exit 1
rm -f /run/ovn/$socket.sock /run/ovn/$socket.ctl
if [ "$process" = ovn-sb ]; then
  # Nodes speak TLS, and may write only what a chassis of their certificate's name may.
  (sh -c 'for n in 1 2 3 4 5 6 7 8 9; do ovn-sbctl --timeout=2 -- --id=@c create connection target="\"pssl:6643:0.0.0.0\"" role=ovn-controller inactivity_probe=60000 -- set sb_global . connections=@c && exit; sleep 0.3; done' >/dev/null 2>&1 &)
fi
as_root ovsdb-server -vconsole:warn -vsyslog:off --remote=punix:/run/ovn/$socket.sock $remotes --unixctl=/run/ovn/$socket.ctl $db
