/** Whether a server can become one of another flavor on its node: decisions over facts that were gathered before. */
import { type Failure, fail } from '#libs/kernel';
import { type BlockDevice, ephemeralsShrink } from './block-device.js';
import { type Flavor, snapshotOf } from './flavor.js';
import { demandOf, demandTrouble } from './server.demand.js';
import { encryptionTrouble, reencryptionTrouble } from './server.encryption.js';
import { hardwareTrouble } from './server.hardware.js';
import { type FlavorSnapshot, type Resize, type Server, sizeOf } from './server.js';
import { fitTrouble, type ImageFacts } from './server.order.js';

/** The first reason to refuse, or undefined. `image`: as it is now, where it still is. */
export function resizeTrouble(
  server: Pick<Server, 'flavor' | 'flavorId' | 'image'>,
  asked: string,
  flavor: Flavor | undefined,
  image: ImageFacts | undefined,
  devices: readonly BlockDevice[],
): Failure | undefined {
  if (!flavor || (flavor.disabled && flavor.id !== server.flavorId))
    return fail.invalid(`Flavor ${asked.slice(0, 64)} could not be found.`);
  if (flavor.id === server.flavorId) return fail.invalid('When resizing, instances must change flavor!');
  return (
    demandTrouble(flavor) ??
    hardwareTrouble(flavor, image ?? server.image ?? NO_IMAGE) ??
    diskTrouble(server.flavor, flavor, devices) ??
    reencryptionTrouble(server.flavor, flavor, server.image) ??
    (image && (fitTrouble(flavor, image) ?? encryptionTrouble(flavor, image)))
  );
}

function diskTrouble(from: FlavorSnapshot, to: FlavorSnapshot, devices: readonly BlockDevice[]): Failure | undefined {
  const unable = (why: string): Failure => fail.invalid(`Server disk was unable to be resized because: ${why}`);
  if (from.diskGb > 0 && to.diskGb === 0) return unable('Resize to zero disk flavor is not allowed.');
  if (to.diskGb < from.diskGb || ephemeralsShrink(devices, from, to)) return unable('Unable to resize disk down.');
  return undefined;
}

export const resizeOf = (server: Pick<Server, 'flavor' | 'vmState'>, flavor: Flavor): Resize => ({
  from: server.flavor,
  to: snapshotOf(flavor),
  vmState: server.vmState === 'stopped' ? 'stopped' : 'active',
  at: null,
});

const NO_IMAGE = { properties: {} };

/** Units of resource classes that a server of the flavor and of an image with these properties takes of its node. */
export function unitsOf(
  flavor: FlavorSnapshot,
  properties: Readonly<Record<string, string>>,
): Readonly<Record<string, number>> {
  const { vcpus, memoryMb, diskGb } = sizeOf(flavor);
  return { VCPU: vcpus, MEMORY_MB: memoryMb, DISK_GB: diskGb, ...demandOf(flavor, { properties }).resources };
}

/** Room for either of two. */
export function largerUnits(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, Math.max(a[name] ?? 0, b[name] ?? 0)]));
}
