/** Which containers a cloud consists of, and which processes each of them runs. */
import type { Container, ContainerProcess } from './container.js';
import { CONTROLLER_HOST, type Deployment, managementAddress, nodeNames } from './deployment.js';

/** Our services: where they listen, as which user, and under which names their processes run. */
export const SERVICES = [
  { service: 'identity', process: 'identity-1', http: 5001, grpc: 6001, uid: 7001 },
  { service: 'identity', process: 'identity-2', http: 5002, grpc: 6002, uid: 7001 },
  { service: 'image', process: 'image', http: 9292, grpc: 6292, uid: 7002 },
  { service: 'network', process: 'network', http: 9696, grpc: 6696, uid: 7003 },
  { service: 'placement', process: 'placement', http: 8778, grpc: 6778, uid: 7004 },
  { service: 'compute', process: 'compute', http: 8774, grpc: 6774, uid: 7005 },
] as const;

/** All that is reached over the one origin. Consoles are served by a process that has neither database nor broker. */
export const CONSOLE = { service: 'console', process: 'console', http: 6080, uid: 7007 } as const;
export const SERVED = [...SERVICES, CONSOLE] as const;

export type ServiceName = (typeof SERVICES)[number]['service'];
export const SERVICE_NAMES = [...new Set(SERVICES.map((s) => s.service))] as readonly ServiceName[];
export const SIMULATED = 'simulated';

const BASIC = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'NET_BIND_SERVICE'];
const HYPERVISOR = [
  ...BASIC,
  'DAC_READ_SEARCH',
  'SETPCAP',
  'SETFCAP',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'SYS_ADMIN',
  'SYS_CHROOT',
  'SYS_NICE',
  'SYS_PTRACE',
  'MKNOD',
  'AUDIT_WRITE',
];

const simple = (...names: string[]): ContainerProcess[] => names.map((name) => ({ name, script: name }));

export function controller(d: Deployment): Container {
  return {
    name: 'controller',
    interfaces: [
      { name: 'eth0', bridge: 'm', host: CONTROLLER_HOST, address: `${managementAddress(d, CONTROLLER_HOST)}/24` },
    ],
    processes: [
      ...simple('postgresql', 'epmd', 'rabbitmq'),
      { name: 'ovn-nb', script: 'ovn-db' },
      { name: 'ovn-sb', script: 'ovn-db' },
      ...simple('ovn-northd'),
      ...SERVED.map(({ process }) => ({ name: process, script: 'service' })),
      ...(d.simulated > 0 ? [{ name: SIMULATED, script: 'agent' }] : []),
    ],
    capabilities: [...BASIC, 'SYS_NICE'],
    data: [
      { from: 'postgresql', to: '/var/lib/postgresql' },
      { from: 'rabbitmq', to: '/var/lib/rabbitmq' },
      { from: 'ovn', to: '/var/lib/ovn' },
      { from: 'yagura', to: '/var/lib/yagura' },
    ],
    files: { 'rabbitmq-env.conf': '/etc/rabbitmq/rabbitmq-env.conf' },
    hypervisor: false,
  };
}

export function edge(): Container {
  return { name: 'edge', processes: simple('haproxy'), capabilities: BASIC, data: [], files: {}, hypervisor: false };
}

export function node(d: Deployment, name: string): Container {
  const host = CONTROLLER_HOST + Number(name.slice('node-'.length));
  return {
    name,
    interfaces: [
      { name: 'mgmt0', bridge: 'm', host, address: `${managementAddress(d, host)}/24` },
      { name: 'fabric0', bridge: 'f', host },
      { name: 'ext0', bridge: 'x', host },
    ],
    processes: simple('ovsdb', 'ovs-vswitchd', 'ovn-controller', 'virtlogd', 'libvirtd', 'agent'),
    capabilities: HYPERVISOR,
    data: [
      { from: 'openvswitch', to: '/var/lib/openvswitch' },
      { from: 'libvirt', to: '/var/lib/libvirt', seed: '/var/lib/libvirt' },
      { from: 'libvirt-cache', to: '/var/cache/libvirt', seed: '/var/cache/libvirt' },
      { from: 'libvirt-domains', to: '/etc/libvirt/qemu' },
      { from: 'yagura', to: '/var/lib/yagura' },
    ],
    files: { 'qemu.conf': '/etc/libvirt/qemu.conf' },
    hypervisor: true,
  };
}

export const containersOf = (d: Deployment): Container[] => [
  controller(d),
  edge(),
  ...nodeNames(d).map((name) => node(d, name)),
];
