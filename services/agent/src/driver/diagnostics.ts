/** What a guest has used of its machine, out of libvirt's statistics. Pure. */
import type { agentV1 } from '#libs/contract';
import { tapName } from '../domain/domain-xml.js';
import { type DomainStats, STATS } from '../libvirt/protocol.js';

export type Diagnostics = agentV1.DiagnosticsReply;

/** A port of the guest's, by whose device libvirt counts. */
interface Nic {
  readonly portId: string;
  readonly mac: string;
}

export const DIAGNOSED = STATS.balloon | STATS.vcpu | STATS.interface | STATS.block;

export function diagnosticsOf(
  stats: DomainStats,
  nics: readonly Nic[],
): Pick<Diagnostics, 'cpus' | 'disks' | 'nics' | 'memoryMaxKib' | 'memory'> {
  const count = countIn(stats);
  const macs = new Map(nics.map(({ portId, mac }) => [tapName(portId), mac]));
  return {
    cpus: indexed(count('vcpu.current'), (n) => ({ id: n, timeNs: count(`vcpu.${n}.time`) })),
    disks: indexed(count('block.count'), (n) => ({
      device: String(stats.get(`block.${n}.name`) ?? ''),
      readRequests: count(`block.${n}.rd.reqs`),
      readBytes: count(`block.${n}.rd.bytes`),
      writeRequests: count(`block.${n}.wr.reqs`),
      writeBytes: count(`block.${n}.wr.bytes`),
    })),
    nics: indexed(count('net.count'), (n) => {
      const device = String(stats.get(`net.${n}.name`) ?? '');
      // libvirt counts from the guest's side of the device.
      const traffic = (way: 'rx' | 'tx') => trafficIn(count, `net.${n}.${way}`);
      return { device, mac: macs.get(device) ?? '', received: traffic('rx'), sent: traffic('tx') };
    }),
    memoryMaxKib: count('balloon.maximum'),
    memory: memoryIn(stats, count),
  };
}

type Count = (name: string) => number;

/** Counters that outgrow what JSON can say stay at its limit. */
const countIn =
  (stats: DomainStats): Count =>
  (name) =>
    Math.min(Number(stats.get(name) ?? 0), Number.MAX_SAFE_INTEGER);

const indexed = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

const trafficIn = (count: Count, prefix: string): agentV1.Traffic => ({
  bytes: count(`${prefix}.bytes`),
  packets: count(`${prefix}.pkts`),
  errors: count(`${prefix}.errs`),
  drops: count(`${prefix}.drop`),
});

const BALLOON = 'balloon.';
/** Under the names that libvirt gives them where it tells of memory alone. */
function memoryIn(stats: DomainStats, count: Count): Record<string, number> {
  const facts = [...stats.keys()].filter((name) => name.startsWith(BALLOON) && name !== 'balloon.maximum');
  const named = (name: string) => (name === 'balloon.current' ? 'actual' : name.slice(BALLOON.length));
  return Object.fromEntries(facts.map((name) => [named(name).replaceAll('-', '_'), count(name)]));
}
