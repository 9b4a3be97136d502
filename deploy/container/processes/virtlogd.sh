mkdir -p /run/libvirt
as_root virtlogd
