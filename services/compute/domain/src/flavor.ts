/** Flavors: what an administrator offers. A server keeps a snapshot, so a flavor may be deleted at any time. */
import type { FlavorSnapshot } from './server.js';

export interface Flavor extends FlavorSnapshot {
  readonly number: number;
  readonly isPublic: boolean;
  readonly disabled: boolean;
  readonly description: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date | null;
}

export type NewFlavor = Omit<Flavor, 'number' | 'createdAt' | 'updatedAt'>;

export const snapshotOf = (flavor: Flavor): FlavorSnapshot => ({
  id: flavor.id,
  name: flavor.name,
  vcpus: flavor.vcpus,
  memoryMb: flavor.memoryMb,
  diskGb: flavor.diskGb,
  ephemeralGb: flavor.ephemeralGb,
  swapMb: flavor.swapMb,
  rxtxFactor: flavor.rxtxFactor,
  extraSpecs: flavor.extraSpecs,
});
