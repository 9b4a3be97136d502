/** Whether the disks of a server are encrypted, by its flavor and its image. Pure. */
import { type Failure, fail } from '#libs/kernel';
import type { FlavorSnapshot, ImageSnapshot, Server } from './server.js';

type Properties = Pick<ImageSnapshot, 'properties'>;

const SPEC = 'hw:ephemeral_encryption';
const PROPERTY = 'hw_ephemeral_encryption';
/** What nodes can do. */
const FORMAT = 'luks';
export const ENCRYPTION_TRAITS = ['COMPUTE_EPHEMERAL_ENCRYPTION', 'COMPUTE_EPHEMERAL_ENCRYPTION_LUKS'] as const;

const isYes = (value: string | undefined): boolean | undefined =>
  value === undefined ? undefined : /^(true|t|1|yes|y|on)$/i.test(value.trim());

/** Asked for by the flavor or by the image. */
export const wantsEncryption = (
  { extraSpecs }: Pick<FlavorSnapshot, 'extraSpecs'>,
  image: Properties | null,
): boolean => isYes(extraSpecs[SPEC]) === true || isYes(image?.properties[PROPERTY]) === true;

export const hasEncryptedDisk = ({ flavor, image }: Pick<Server, 'flavor' | 'image'>): boolean =>
  wantsEncryption(flavor, image);

/** Why disks can not be encrypted as the flavor and the image say, or undefined. */
export function encryptionTrouble(
  flavor: Pick<FlavorSnapshot, 'name' | 'extraSpecs'>,
  image: Properties & { readonly name: string },
): Failure | undefined {
  const said = { flavor: flavor.extraSpecs[SPEC], image: image.properties[PROPERTY] };
  const conflict = (spec: string, ours: string, property: string, theirs: string): Failure =>
    fail.invalid(
      `Flavor ${flavor.name} has ${spec} extra spec explicitly set to ${ours}, conflicting with image ${image.name} which has ${property} explicitly set to ${theirs}`,
    );
  if (said.flavor !== undefined && said.image !== undefined && isYes(said.flavor) !== isYes(said.image))
    return conflict(SPEC, said.flavor, PROPERTY, said.image);
  if (!wantsEncryption(flavor, image)) return undefined;
  const formats = { flavor: flavor.extraSpecs[`${SPEC}_format`], image: image.properties[`${PROPERTY}_format`] };
  if (formats.flavor !== undefined && formats.image !== undefined && formats.flavor !== formats.image)
    return conflict(`${SPEC}_format`, formats.flavor, `${PROPERTY}_format`, formats.image);
  const format = formats.flavor ?? formats.image ?? FORMAT;
  return format === FORMAT
    ? undefined
    : fail.invalid(`Disks can not be encrypted as ${format.slice(0, 40)} here, only as ${FORMAT}.`);
}

/** Disks do not become encrypted, or plain, while they keep their contents. */
export const reencryptionTrouble = (
  from: FlavorSnapshot,
  to: FlavorSnapshot,
  image: Properties | null,
): Failure | undefined =>
  wantsEncryption(from, image) === wantsEncryption(to, image)
    ? undefined
    : fail.invalid('The disks of a server can not be encrypted or decrypted by a resize.');
