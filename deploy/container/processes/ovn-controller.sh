wait_for 20 test -S /run/openvswitch/br-int.mgmt
mkdir -p /run/ovn; rm -f /run/ovn/ovn-controller.ctl
as_root ovn-controller unix:/run/openvswitch/db.sock -vconsole:warn -vsyslog:off --unixctl=/run/ovn/ovn-controller.ctl \
  --private-key=/etc/yagura/tls/$NODE.key --certificate=/etc/yagura/tls/$NODE.crt --ca-cert=/etc/yagura/tls/ca.crt
