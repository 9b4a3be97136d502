/** Diagnostics in the shape of libvirt's own words (until 2.47), and in that of all hypervisors. */
import type { agentV1 } from '#libs/contract';
import { view } from '#libs/wire';
import type { Server } from '#services/compute/domain';

export interface Diagnosed {
  readonly server: Server;
  readonly used: agentV1.DiagnosticsReply;
  readonly now: Date;
}

type Numbers = Readonly<Record<string, number>>;

/** libvirt does not count the errors of a disk. */
const UNCOUNTED = -1;

export function plainDiagnostics({ cpus, disks, nics, memoryMaxKib, memory }: agentV1.DiagnosticsReply): Numbers {
  const facts: Record<string, number> = { memory: memoryMaxKib };
  for (const { id, timeNs } of cpus) facts[`cpu${id}_time`] = timeNs;
  for (const disk of disks) {
    facts[`${disk.device}_read_req`] = disk.readRequests;
    facts[`${disk.device}_read`] = disk.readBytes;
    facts[`${disk.device}_write_req`] = disk.writeRequests;
    facts[`${disk.device}_write`] = disk.writeBytes;
    facts[`${disk.device}_errors`] = UNCOUNTED;
  }
  for (const { device, received, sent } of nics)
    for (const [way, traffic] of [
      ['rx', received],
      ['tx', sent],
    ] as const) {
      facts[`${device}_${way}`] = traffic?.bytes ?? 0;
      facts[`${device}_${way}_packets`] = traffic?.packets ?? 0;
      facts[`${device}_${way}_errors`] = traffic?.errors ?? 0;
      facts[`${device}_${way}_drop`] = traffic?.drops ?? 0;
    }
  for (const [name, value] of Object.entries(memory)) facts[`memory-${name}`] = value;
  return facts;
}

const MIB_KIB = 1024;

/** What nobody measures is null: rates, utilisation, errors of disks. */
export const diagnosticsView = view<Diagnosed>([
  { name: 'state', from: () => 'running' },
  { name: 'driver', from: () => 'libvirt' },
  { name: 'hypervisor', from: ({ used }) => used.hypervisor },
  { name: 'hypervisor_os', from: () => 'linux' },
  { name: 'uptime', from: ({ server, now }) => secondsSince(server.launchedAt, now) },
  { name: 'config_drive', from: ({ server }) => server.configDrive },
  { name: 'num_cpus', from: ({ used }) => used.cpus.length },
  { name: 'num_nics', from: ({ used }) => used.nics.length },
  { name: 'num_disks', from: ({ used }) => used.disks.length },
  { name: 'memory_details', from: ({ used }) => memoryDetails(used) },
  {
    name: 'cpu_details',
    from: ({ used }) => used.cpus.map(({ id, timeNs }) => ({ id, time: timeNs, utilisation: null })),
  },
  { name: 'disk_details', from: ({ used }) => used.disks.map(diskDetails) },
  { name: 'nic_details', from: ({ used }) => used.nics.map(nicDetails) },
]);

/** Whole MiB. */
function memoryDetails({ memoryMaxKib, memory }: agentV1.DiagnosticsReply) {
  const used = memory['actual'];
  const mib = (kib: number) => Math.floor(kib / MIB_KIB);
  return { maximum: mib(memoryMaxKib), used: used === undefined ? null : mib(used) };
}

const diskDetails = (disk: agentV1.DiskUse) => ({
  read_bytes: disk.readBytes,
  read_requests: disk.readRequests,
  write_bytes: disk.writeBytes,
  write_requests: disk.writeRequests,
  errors_count: null,
});

const nicDetails = ({ mac, received, sent }: agentV1.NicUse) => ({
  mac_address: mac === '' ? null : mac,
  ...wayDetails('rx', received),
  ...wayDetails('tx', sent),
});

const wayDetails = (way: 'rx' | 'tx', traffic: agentV1.Traffic | undefined) => ({
  [`${way}_octets`]: traffic?.bytes ?? null,
  [`${way}_errors`]: traffic?.errors ?? null,
  [`${way}_drop`]: traffic?.drops ?? null,
  [`${way}_packets`]: traffic?.packets ?? null,
  [`${way}_rate`]: null,
});

const secondsSince = (since: Date | null, now: Date): number | null =>
  since === null ? null : Math.max(0, Math.floor((now.getTime() - since.getTime()) / 1_000));
