/** Configuration of a compute node's libvirt. */
import { createHash } from 'node:crypto';
import type { ConfigFiles } from './config-folder.js';
import type { Deployment } from './deployment.js';

/** A node's own identity to libvirt: derived, so that it is the same after a new start. */
export function hostUuid(d: Deployment, node: string): string {
  const hex = createHash('sha256').update(`${d.state}\0${node}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export function libvirtFiles(d: Deployment, node: string): ConfigFiles {
  const libvirtd = `host_uuid = "${hostUuid(d, node)}"
listen_tls = 0
listen_tcp = 0
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_rw_perms = "0700"
unix_sock_group = "root"
max_clients = 64
min_workers = 2
max_workers = 8
log_outputs = "3:stderr"
`;
  const qemu = `security_driver = "none"
namespaces = []
remember_owner = 0
stdio_handler = "logd"
cgroup_controllers = [ "cpu", "cpuacct", "memory", "blkio" ]
max_core = 0
dump_guest_core = 0
`;
  return { 'libvirtd.conf': { text: libvirtd, open: true }, 'qemu.conf': { text: qemu, open: true } };
}
