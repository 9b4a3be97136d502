/** Whether a server can begin anew from an image, and what its task is told: decisions over facts that were gathered before. */
import { type Failure, fail } from '#libs/kernel';
import type { Renewals } from './block-device.js';
import type { Keypair } from './keypair.js';
import type { QuotaLimits } from './quota.js';
import { demandOf } from './server.demand.js';
import { encryptionTrouble } from './server.encryption.js';
import { hardwareTrouble, hardwareUnits } from './server.hardware.js';
import { type InjectedFile, type Server, sizeOf } from './server.js';
import { fitTrouble, type ImageFacts, limitTrouble } from './server.order.js';
import type { ServerRebuildInput } from './server.tasks.js';

/** What is asked for; absent fields stay as they are, null forgets. */
export interface RebuildOrder {
  readonly imageId: string;
  readonly adminPass: string;
  readonly name?: string;
  readonly hostname?: string;
  readonly description?: string | null;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly files: readonly InjectedFile[];
  readonly keyName?: string | null;
  /** Base64, checked. */
  readonly userData?: string | null;
  readonly diskConfig?: 'AUTO' | 'MANUAL';
  /** Ephemeral disks stay as they are. */
  readonly preserveEphemeral: boolean;
  readonly accessIpV4?: string;
  readonly accessIpV6?: string;
}

export interface RebuildFacts {
  readonly image: ImageFacts;
  /** Of the asking user, where the order names one. */
  readonly keypair: Keypair | undefined;
  readonly limits: QuotaLimits;
}

/** The first reason to refuse, or undefined. */
export function rebuildTrouble(server: Server, order: RebuildOrder, facts: RebuildFacts): Failure | undefined {
  const { image, keypair, limits } = facts;
  if (image.status !== 'active') return fail.invalid(`Image ${image.id} is not active.`);
  if (order.keyName && !keypair) return fail.invalid('Invalid key_name provided.');
  return (
    hardwareTrouble(server.flavor, image) ??
    layoutTrouble(server, image) ??
    fitTrouble(server.flavor, image) ??
    encryptionTrouble(server.flavor, image) ??
    limitTrouble({ metadata: order.metadata ?? {}, files: order.files }, limits)
  );
}

/** What a server holds of its node's processors and cells is claimed for as long as it is there. */
function layoutTrouble({ flavor, image: before }: Server, image: ImageFacts): Failure | undefined {
  const held = (of: Pick<ImageFacts, 'properties'>): string =>
    JSON.stringify([hardwareUnits(flavor, of), demandOf(flavor, of).numa]);
  if (before === null || held(before) === held(image)) return undefined;
  return fail.invalid(
    "An instance's NUMA topology cannot be changed as part of a rebuild. The image provided is invalid for this instance.",
  );
}

export function rebuildInput(
  server: Server,
  image: ImageFacts,
  generation: number,
  renewals: Renewals,
): ServerRebuildInput {
  return {
    serverId: server.id,
    generation,
    power: server.vmState === 'stopped' ? 'stopped' : 'running',
    size: sizeOf(server.flavor),
    ...demandOf(server.flavor, image),
    renewals,
    before: { imageId: server.imageId, image: server.image },
  };
}
