/**
 * A tenant's order of servers and what becomes of it: a pure decision over facts that were gathered before. It refuses, or
 * returns the rows and the inputs of their tasks, with every id in them.
 */
import { type Failure, fail } from '#libs/kernel';
import { type BlockDevice, type DeviceWish, devicesOf, devicesTrouble } from './block-device.js';
import { type Flavor, snapshotOf } from './flavor.js';
import type { Keypair } from './keypair.js';
import { fits, type QuotaLimits } from './quota.js';
import { demandOf, demandTrouble } from './server.demand.js';
import { encryptionTrouble, wantsEncryption } from './server.encryption.js';
import { hardwareTrouble } from './server.hardware.js';
import { hostnameFrom, numberedHostname } from './server.hostname.js';
import type { FlavorSnapshot, ImageSnapshot, InjectedFile, Nic, SecurityGroup, Server } from './server.js';
import { sizeOf } from './server.js';
import type { ServerCreateInput } from './server.tasks.js';
import type { ServerGroup } from './server-group.js';

export interface NicWish {
  /** The tenant's own port, or ''. */
  readonly portId: string;
  readonly networkId: string;
  readonly fixedIp: string;
  readonly tag: string;
}

/** Where servers go that name no zone. */
export const DEFAULT_ZONE = 'nova';

export interface ServerOrder {
  readonly name: string;
  readonly description: string | null;
  readonly hostname: string | null;
  readonly imageId: string;
  /** Its disks; empty: the image, and what the flavor offers. */
  readonly devices: readonly DeviceWish[];
  readonly flavorId: string;
  readonly keyName: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Base64, checked. */
  readonly userData: string | null;
  readonly adminPass: string | null;
  readonly files: readonly InjectedFile[];
  readonly configDrive: boolean;
  /** `any`: the project's only network if there is one; `auto`: it must be there; `none`. */
  readonly networks: readonly NicWish[] | 'auto' | 'any' | 'none';
  /** Names or ids. */
  readonly securityGroups: readonly string[];
  readonly minCount: number;
  readonly maxCount: number;
  readonly zone: string | null;
  /** The only node it may go to, by an administrator's word. */
  readonly onlyHost: string;
  readonly tags: readonly string[];
  readonly hints: Readonly<Record<string, unknown>>;
  readonly accessIpV4: string;
  readonly accessIpV6: string;
  readonly diskConfig: 'AUTO' | 'MANUAL';
}

/** An image as it is now. */
export interface ImageFacts extends ImageSnapshot {
  readonly id: string;
  readonly status: string;
  readonly minDiskGb: number;
  readonly minMemoryMb: number;
}

export interface OrderFacts {
  readonly flavor: Flavor | undefined;
  readonly image: ImageFacts;
  readonly keypair: Keypair | undefined;
  readonly limits: QuotaLimits;
  /** Networks resolved; port ids empty where ports are to be made. */
  readonly nics: readonly (NicWish & { readonly adopt: boolean })[];
  readonly securityGroups: readonly SecurityGroup[];
  /** Providers to keep away from, by hints. */
  readonly excludeProviderIds: readonly string[];
  /** The only providers it may go to, by hints; empty for any. */
  readonly amongProviderIds: readonly string[];
  readonly group: ServerGroup | null;
}

/** What may be asked for whom. */
export interface OrderRights {
  readonly zeroDiskFlavor: boolean;
}

export interface ServerPlan {
  readonly server: Pick<
    Server,
    | 'id'
    | 'name'
    | 'hostname'
    | 'image'
    | 'flavor'
    | 'flavorId'
    | 'keyType'
    | 'keyData'
    | 'nics'
    | 'securityGroups'
    | 'launchIndex'
  >;
  readonly devices: readonly BlockDevice[];
  readonly input: ServerCreateInput;
}

const GIB = 2 ** 30;

/** The first reason to refuse the order, or undefined. */
export function orderTrouble(order: ServerOrder, facts: OrderFacts, rights: OrderRights): Failure | undefined {
  const { flavor, image, limits } = facts;
  if (!flavor || flavor.disabled) return fail.invalid(`Flavor ${order.flavorId} could not be found.`);
  if (image.status !== 'active') return fail.invalid(`Image ${image.id} is not active.`);
  if (flavor.diskGb === 0 && !rights.zeroDiskFlavor)
    return fail.forbidden('Only volume-backed servers are allowed for flavors with zero disk.');
  if (order.keyName !== null && !facts.keypair) return fail.invalid('Invalid key_name provided.');
  return (
    demandTrouble(flavor) ??
    hardwareTrouble(flavor, image) ??
    fitTrouble(flavor, image) ??
    encryptionTrouble(flavor, image) ??
    (order.devices.length ? devicesTrouble(order.devices, image.id, flavor) : undefined) ??
    countTrouble(order, facts) ??
    limitTrouble(order, limits)
  );
}

/** Why a server of that flavor can not boot from the image, or undefined. */
export function fitTrouble(flavor: FlavorSnapshot, image: ImageFacts): Failure | undefined {
  if (flavor.memoryMb < image.minMemoryMb) return fail.invalid("Flavor's memory is too small for requested image.");
  const disk = flavor.diskGb * GIB;
  const needed = Math.max(image.minDiskGb * GIB, image.virtualSize, image.size);
  if (flavor.diskGb > 0 && disk < needed)
    return fail.invalid(
      `Flavor's disk is too small for requested image. Flavor disk is ${disk} bytes, the image needs ${needed} bytes.`,
    );
  return undefined;
}

function countTrouble(order: ServerOrder, facts: OrderFacts): Failure | undefined {
  if (order.maxCount <= 1) return undefined;
  if (facts.nics.some((nic) => nic.adopt))
    return fail.invalid('Unable to launch multiple instances with a single configured port ID.');
  if (facts.nics.some((nic) => nic.fixedIp))
    return fail.invalid('Invalid fixed IP: one address can not be given to several servers.');
  return undefined;
}

export function limitTrouble(order: Pick<ServerOrder, 'metadata' | 'files'>, limits: QuotaLimits): Failure | undefined {
  const items = Object.keys(order.metadata).length;
  if (!fits(limits.metadata_items, items))
    return fail.overQuota(`Maximum number of metadata items exceeds ${limits.metadata_items}`);
  if (!fits(limits.injected_files, order.files.length))
    return fail.overQuota(`Personality file limit exceeded: at most ${limits.injected_files} files.`);
  for (const file of order.files) {
    if (!fits(limits.injected_file_path_bytes, Buffer.byteLength(file.path)))
      return fail.overQuota('Personality file path exceeds maximum length.');
    if (!fits(limits.injected_file_content_bytes, Buffer.byteLength(file.contents, 'base64')))
      return fail.overQuota('Personality file content exceeds maximum length.');
  }
  return undefined;
}

/** The rows and tasks of an order that has no trouble. `freshId` gives server ids and port ids. */
export function planServers(
  order: ServerOrder,
  facts: OrderFacts & { readonly flavor: Flavor },
  count: number,
  freshId: () => string,
): ServerPlan[] {
  const flavor = snapshotOf(facts.flavor);
  const demand = demandOf(flavor, facts.image);
  return Array.from({ length: count }, (_, index): ServerPlan => {
    const id = freshId();
    const { name, hostname } = namesOf(order, index, count > 1, id);
    const nics = facts.nics.map((nic): Nic => ({ ...nic, portId: nic.adopt ? nic.portId : freshId() }));
    const { securityGroups, excludeProviderIds } = facts;
    return {
      server: {
        id,
        name,
        hostname,
        image: imageSnapshotOf(facts.image),
        flavor,
        flavorId: flavor.id,
        keyType: facts.keypair?.type ?? null,
        keyData: facts.keypair?.publicKey ?? null,
        nics,
        securityGroups,
        launchIndex: index,
      },
      devices: devicesOf(order.devices, flavor, wantsEncryption(flavor, facts.image), freshId),
      input: {
        serverId: id,
        hostname,
        nics,
        securityGroupIds: securityGroups.map((group) => group.id),
        size: sizeOf(flavor),
        ...demand,
        onlyHost: order.onlyHost,
        // Nobody gets into another zone than the default one without having named it, or a node of it.
        availabilityZone: order.zone ?? (order.onlyHost ? '' : DEFAULT_ZONE),
        excludeProviderIds,
        amongProviderIds: facts.amongProviderIds,
      },
    };
  });
}

function namesOf(order: ServerOrder, index: number, many: boolean, id: string): { name: string; hostname: string } {
  const hostname = order.hostname ?? order.name;
  const own = order.hostname ?? hostnameFrom(order.name, id);
  if (!many) return { name: order.name, hostname: own };
  return { name: `${order.name}-${index + 1}`, hostname: numberedHostname(hostname, index + 1, id) };
}

/** What a server keeps of its image. */
export const imageSnapshotOf = ({
  name,
  diskFormat,
  size,
  virtualSize,
  sha256,
  properties,
}: ImageFacts): ImageSnapshot => ({
  name,
  diskFormat,
  size,
  virtualSize,
  sha256,
  properties,
});
