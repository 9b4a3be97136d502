/**
 * Shell scripts that plug endpoints into a node, and pull them out. A namespace is called `lab-` and the port's id, a
 * device `lab` and as much of the id as fits; whatever is called so belongs to a lab.
 */

/** $1 port id, $2 MAC, $3 MTU. A veth, as metadata's own: with TSO in OVS its partial checksums are understood. */
export const PREPARE = `
id=$(printf %s "$1" | cut -c1-11)
ip netns add "lab-$1"
ip link add "lab$id" type veth peer name eth0 netns "lab-$1"
ip -n "lab-$1" link set lo up
ip -n "lab-$1" link set eth0 address "$2" mtu "$3" up
ip link set "lab$id" mtu "$3" up`;

/** $1 port id. */
export const PLUG = `
id=$(printf %s "$1" | cut -c1-11)
ovs-vsctl --timeout=10 add-port br-int "lab$id" -- set Interface "lab$id" "external_ids:iface-id=$1"`;

/** $1 port id. */
export const UNPLUG = `
id=$(printf %s "$1" | cut -c1-11)
ovs-vsctl --timeout=10 --if-exists del-port br-int "lab$id"
ip netns pids "lab-$1" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
ip link del "lab$id" 2>/dev/null || true
ip netns del "lab-$1" 2>/dev/null || true`;

/** Everything of labs before, whose test was cut off. */
export const SWEEP = `
for dev in $(ovs-vsctl --timeout=10 list-ports br-int | grep '^lab' || true); do
  ovs-vsctl --timeout=10 --if-exists del-port "$dev"; ip link del "$dev" 2>/dev/null || true
done
for ns in $(ip netns list | cut -d' ' -f1 | grep '^lab-' || true); do
  ip netns pids "$ns" | xargs -r kill -9 2>/dev/null || true
  ip netns del "$ns"
done`;

/** $1 namespace. Says what it was told, and does it as a guest would. */
export const DHCP = `
ns=$1; script=/tmp/$ns.udhcpc
cat > "$script" <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
set
ip addr replace "$ip/$mask" dev "$interface"
[ -z "$mtu" ] || ip link set "$interface" mtu "$mtu"
if [ -n "$staticroutes" ]; then
  set -- $staticroutes
  while [ $# -ge 2 ]; do
    if [ "$2" = 0.0.0.0 ]; then ip route replace "$1" dev "$interface"; else ip route replace "$1" via "$2" dev "$interface"; fi
    shift 2
  done
else
  for r in $router; do ip route replace default via "$r" dev "$interface"; break; done
fi
END
chmod 755 "$script"
trap 'rm -f "$script"' EXIT
ip netns exec "$ns" busybox udhcpc -i eth0 -q -n -t 8 -T 1 -f -s "$script" -O staticroutes -O mtu -O dns -O domain 2>/dev/null`;
