/** Limits of a flavor on what its guests use: shares and time of processors, bytes and operations of disks. */
import type { Abilities } from './abilities.js';
import { refused, type Wishes } from './wishes.js';

export interface CpuQuota {
  readonly shares?: number;
  /** Microseconds. */
  readonly period?: number;
  readonly quota?: number;
}

/** By libvirt's names, such as `read_bytes_sec`. */
export type DiskQuota = Readonly<Record<string, number>>;

const DISK = [
  'read_bytes_sec',
  'read_iops_sec',
  'write_bytes_sec',
  'write_iops_sec',
  'total_bytes_sec',
  'total_iops_sec',
];

export function cpuQuotaOf(wishes: Wishes, abilities: Abilities): CpuQuota {
  const found: { -readonly [K in keyof CpuQuota]: CpuQuota[K] } = {};
  for (const name of ['shares', 'period', 'quota'] as const) {
    const word = wishes.flavor(`quota:cpu_${name}`);
    if (word === undefined) continue;
    const value = Number(word);
    if (!Number.isSafeInteger(value)) throw refused(`quota:cpu_${name} is not a number: ${word.slice(0, 40)}`);
    found[name] = value;
  }
  if (Object.keys(found).length && !abilities.cpuQuota) throw refused('a share of processor time');
  return found;
}

export function diskQuotaOf(wishes: Wishes): DiskQuota {
  const found: Record<string, number> = {};
  for (const name of DISK)
    for (const kind of [name, `${name}_max`]) {
      const value = wishes.flavorNumber(`quota:disk_${kind}`);
      if (value) found[kind] = value;
    }
  return found;
}

/** What libvirt knows no word for. */
const FOREIGN = /^quota:(?:disk_io_|memory_|cpu_(?:limit|reservation|shares_))/;

/** Traffic of guests is limited by QoS policies of the network; a limit in the flavor would hold nobody. */
export function refuseForeignQuota(wishes: Wishes): void {
  const [foreign] = wishes.flavorKeys('quota:').filter((key) => FOREIGN.test(key));
  if (foreign) throw refused(`${foreign}: such limits are other hypervisors'`);
  if (wishes.flavorKeys('quota:vif_').length) throw refused('limits of traffic by the flavor; use a QoS policy');
}
