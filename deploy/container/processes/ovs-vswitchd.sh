# The userspace datapath. Its bridges' own interfaces are made anew at each start, so the tunnel's address is set anew.
wait_for 10 test -S /run/openvswitch/db.sock
ovs-vsctl --no-wait --timeout=10 -- init -- set Open_vSwitch . \
  other_config:userspace-tso-enable=true \
  external_ids:system-id="$NODE" external_ids:hostname="$NODE" external_ids:ovn-remote="$OVN_SB" \
  external_ids:ovn-encap-type=geneve external_ids:ovn-encap-ip="$FABRIC_ADDRESS" \
  external_ids:ovn-bridge-datapath-type=netdev external_ids:ovn-monitor-all=true \
  external_ids:ovn-bridge-mappings=public:br-ex external_ids:ovn-cms-options=enable-chassis-as-gw \
  -- --may-exist add-br br-fabric -- set bridge br-fabric datapath_type=netdev \
  -- --may-exist add-port br-fabric fabric0 \
  -- --may-exist add-br br-ex -- set bridge br-ex datapath_type=netdev fail-mode=standalone \
  -- --may-exist add-port br-ex ext0 \
  -- --may-exist add-br br-int -- set bridge br-int datapath_type=netdev fail-mode=secure || exit 1
# The switch makes br-fabric anew at each start, without its address, and down.
(sh -c 'i=0; until ip link set br-fabric mtu 1600 up && ip addr replace "$0" dev br-fabric; do
  i=$((i + 1)); [ $i -lt 400 ] || exit 1; sleep 0.05; done' "$FABRIC_ADDRESS/24" >/dev/null 2>&1 &)
rm -f /run/openvswitch/ovs-vswitchd.ctl
as_root ovs-vswitchd unix:/run/openvswitch/db.sock -vconsole:warn -vsyslog:off --unixctl=/run/openvswitch/ovs-vswitchd.ctl
