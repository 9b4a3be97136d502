/** What a node offers, as placement keeps it. */
import { placementV1 } from '#libs/contract';
import { type Aggregate, type Node, ratiosIn } from '#services/compute/domain';
import type { WorkerOptions } from '../options.js';

type Hardware = Pick<Node, 'name' | 'vcpus' | 'memoryMb' | 'diskGb' | 'cpuInfo'>;

/**
 * Small nodes keep an eighth of their memory for themselves, larger ones a fixed amount. Overcommitted as an aggregate of the
 * node says, else as configured for the node, else as for all.
 */
export function inventoriesOf(
  node: Hardware,
  options: WorkerOptions,
  aggregates: readonly Pick<Aggregate, 'metadata'>[],
): placementV1.Inventory[] {
  const { cpuRatio, memoryRatio, diskRatio, nodeRatios } = options;
  const own = nodeRatios[node.name] ?? {};
  const { cpu, ram, disk } = ratiosIn(aggregates, {
    ...{ cpu: own.cpu ?? cpuRatio, ram: own.ram ?? memoryRatio, disk: own.disk ?? diskRatio },
  });
  const reserved = Math.min(options.reservedMemoryMb, Math.floor(node.memoryMb / 8));
  return [
    inventory('VCPU', node.vcpus, 0, cpu),
    // Host processors that guests have for their own: never overcommitted.
    inventory('PCPU', dedicatedCpusOf(node), 0, 1),
    inventory('MEMORY_MB', node.memoryMb, reserved, ram),
    inventory('DISK_GB', node.diskGb, 0, disk),
  ].filter(({ total }) => total > 0);
}

/** As far as the node sets any aside. */
export function dedicatedCpusOf({ cpuInfo }: Pick<Node, 'cpuInfo'>): number {
  const count = Number(cpuInfo['dedicatedCpus'] ?? 0);
  return Number.isInteger(count) && count > 0 ? count : 0;
}

const inventory = (
  resourceClass: string,
  total: number,
  reserved: number,
  allocationRatio: number,
): placementV1.Inventory => ({
  resourceClass,
  total,
  reserved,
  minUnit: 1,
  maxUnit: Math.max(1, total),
  stepSize: 1,
  allocationRatio,
});

/** Why the node takes no servers; undefined when it does. */
export function closedReason(
  node: Pick<Node, 'state' | 'stateReason' | 'disabled' | 'disabledReason' | 'forcedDown'>,
): string | undefined {
  if (node.forcedDown) return 'taken down by an operator';
  if (node.state === 'down') return node.stateReason || 'down';
  if (node.disabled) return node.disabledReason || 'an operator closed it';
  return undefined;
}
