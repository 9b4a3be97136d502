/** The OCI runtime specification of a container, from what `layout.ts` says of it. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Container, cgroupOf, namespaceOf, paths } from './container.js';
import type { Deployment } from './deployment.js';

interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

const HIDDEN = [
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/sched_debug',
  '/sys/firmware',
];
const FROZEN = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
/** Devices of a hypervisor that are taken where the machine has them. */
const DEVICES = ['/dev/net/tun', '/dev/kvm', '/dev/vhost-net'];

export function containerSpec(d: Deployment, container: Container): object {
  const capabilities = container.capabilities.map((name) => `CAP_${name}`);
  const devices = container.hypervisor ? DEVICES.flatMap(device) : [];
  return {
    ociVersion: '1.0.2',
    hostname: container.name,
    root: { path: 'root', readonly: false },
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ['/yagura/deploy/container/init.sh'],
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', `container=${container.name}`],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: false,
    },
    mounts: mountsOf(d, container),
    linux: {
      namespaces: namespacesOf(d, container),
      cgroupsPath: `/${cgroupOf(d)}/${container.name}`,
      devices,
      resources: {
        devices: [
          { allow: false, access: 'rwm' },
          ...devices.map(({ type, major, minor }) => ({ allow: true, type, major, minor, access: 'rwm' })),
        ],
      },
      maskedPaths: HIDDEN,
      readonlyPaths: FROZEN,
    },
  };
}

function namespacesOf(d: Deployment, container: Container): object[] {
  const own = ['pid', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type }));
  return container.interfaces
    ? [...own, { type: 'network', path: `/run/netns/${namespaceOf(d, container.name)}` }]
    : own;
}

function mountsOf(d: Deployment, container: Container): Mount[] {
  const of = paths(d, container.name);
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/run', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=755'] },
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] },
    ...systemMounts(container),
    ...['dist', 'node_modules', 'package.json', 'deploy/container'].map((part) =>
      bind(join(d.checkout, part), `/yagura/${part}`, 'ro'),
    ),
    bind(of.config, '/etc/yagura', 'ro'),
    bind(of.run, '/run/yagura', 'rw'),
    bind(of.log, '/var/log/yagura', 'rw'),
    ...['passwd', 'group', 'hosts', 'resolv.conf'].map((file) => bind(join(of.config, file), `/etc/${file}`, 'ro')),
    ...Object.entries(container.files).map(([file, to]) => bind(join(of.config, file), to, 'ro')),
    ...container.data.map(({ from, to }) => bind(join(of.data, from), to, 'rw')),
  ];
}

function systemMounts(container: Container): Mount[] {
  const safe = ['nosuid', 'noexec', 'nodev'];
  if (container.interfaces === undefined) return [];
  if (!container.hypervisor) return [{ destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...safe, 'ro'] }];
  return [
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: safe },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...safe, 'relatime', 'rw'] },
  ];
}

const bind = (source: string, destination: string, mode: 'ro' | 'rw'): Mount => ({
  destination,
  type: 'bind',
  source,
  options: ['bind', mode, ...(mode === 'ro' ? ['nosuid', 'nodev'] : [])],
});

function device(path: string): { path: string; type: string; major: number; minor: number; fileMode: number }[] {
  if (!existsSync(path)) return [];
  const { rdev } = statSync(path);
  return [
    { path, type: 'c', major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00), fileMode: 0o666 },
  ];
}
