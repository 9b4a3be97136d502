/** What a node offers, as placement keeps it. */
import { placementV1 } from '#libs/contract';
import type { Node } from '#services/compute/domain';
import type { WorkerOptions } from '../options.js';

type Hardware = Pick<Node, 'vcpus' | 'memoryMb' | 'diskGb'>;

/** Small nodes keep an eighth of their memory for themselves, larger ones a fixed amount. */
export function inventoriesOf(node: Hardware, options: WorkerOptions): placementV1.Inventory[] {
  const reserved = Math.min(options.reservedMemoryMb, Math.floor(node.memoryMb / 8));
  return [
    inventory('VCPU', node.vcpus, 0, options.cpuRatio),
    inventory('MEMORY_MB', node.memoryMb, reserved, options.memoryRatio),
    inventory('DISK_GB', node.diskGb, 0, options.diskRatio),
  ].filter(({ total }) => total > 0);
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
  if (node.disabled) return node.disabledReason ? `disabled: ${node.disabledReason}` : 'disabled by an operator';
  return undefined;
}
