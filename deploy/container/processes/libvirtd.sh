# One libvirtd per node with an identity of its own; guests outlive it.
mkdir -p /run/libvirt /var/log/libvirt/qemu
wait_for 10 test -S /run/libvirt/virtlogd-sock
wait_for 10 test -S /run/openvswitch/db.sock
as_root libvirtd --config /etc/yagura/libvirtd.conf
