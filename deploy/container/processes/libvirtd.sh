# One libvirtd per node with an identity of its own; guests outlive it.
mkdir -p /run/libvirt /var/log/libvirt/qemu
# Who has a serial line is told by a lock file in /var/lock, which is a folder of /run.
mkdir -p -m 1777 /run/lock
wait_for 10 test -S /run/libvirt/virtlogd-sock
wait_for 10 test -S /run/openvswitch/db.sock
as_root libvirtd --config /etc/yagura/libvirtd.conf
