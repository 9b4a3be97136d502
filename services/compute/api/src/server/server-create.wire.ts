/** The order of one or many servers, as it comes in. */
import ipaddr from 'ipaddr.js';
import { type Static, Type } from 'typebox';
import { fail, isUuid } from '#libs/kernel';
import { body, during, variants } from '#libs/wire';
import { bootTrouble, type DeviceWish, type NicWish, type ServerOrder } from '#services/compute/domain';
import { isBase64, Metadata, Name, Tag, Truth, truth, Whole, whole } from '../values.wire.js';
import { DEVICES, devicesOf } from './block-device.wire.js';
import { Hints } from './server-hints.wire.js';

const shut = { additionalProperties: false } as const;
export const Uuid = Type.String({ pattern: '^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' });
const Word = Type.String({ minLength: 1, maxLength: 255 });

const nic = {
  uuid: Type.Optional(Uuid),
  port: Type.Optional(Type.Union([Uuid, Type.Null()])),
  fixed_ip: Type.Optional(Type.String({ maxLength: 64 })),
};
const plainNic = Type.Object(nic, shut);
const taggedNic = Type.Object({ ...nic, tag: Type.Optional(Tag) }, shut);
/** Tags of interfaces were lost by accident between 2.37 and 2.41, and stock clients know it. */
const NicBody = Type.Unsafe<Static<typeof taggedNic>>(
  variants(['2.1', plainNic], ['2.32', taggedNic], ['2.37', plainNic], ['2.42', taggedNic]),
);

const Networks = Type.Array(NicBody, { maxItems: 64 });
export const HostnameText = variants(
  ['2.1', Type.String({ minLength: 2, maxLength: 63, pattern: '^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$' })],
  ['2.94', Type.String({ minLength: 2, maxLength: 255, pattern: '^[a-zA-Z0-9]+[a-zA-Z0-9-.]*[a-zA-Z0-9]+$' })],
);

/** Files to put into the guest, until 2.56. */
export const Files = Type.Optional(
  Type.Array(Type.Object({ path: Type.String({ maxLength: 255 }), contents: Type.String() }, shut), {
    maxItems: 100,
    ...during({ until: '2.56' }),
  }),
);

const order = {
  name: Name,
  flavorRef: Type.Union([Type.String({ minLength: 1, maxLength: 255 }), Type.Integer()]),
  imageRef: Type.Optional(Type.Union([Uuid, Type.Literal('')])),
  adminPass: Type.Optional(Type.String({ maxLength: 255 })),
  metadata: Type.Optional(Metadata),
  'OS-DCF:diskConfig': Type.Optional(Type.Union([Type.Literal('AUTO'), Type.Literal('MANUAL')])),
  accessIPv4: Type.Optional(Type.String({ maxLength: 64 })),
  accessIPv6: Type.Optional(Type.String({ maxLength: 64 })),
  personality: Files,
  availability_zone: Type.Optional(Word),
  ...DEVICES,
  config_drive: Type.Optional(Truth),
  key_name: Type.Optional(Word),
  min_count: Type.Optional(Whole),
  max_count: Type.Optional(Whole),
  return_reservation_id: Type.Optional(Truth),
  security_groups: Type.Optional(Type.Array(Type.Object({ name: Word }, shut), { maxItems: 64 })),
  user_data: Type.Optional(Type.Union([Type.String({ maxLength: 65_535 }), Type.Null()])),
  description: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()], during({ since: '2.19' }))),
  tags: Type.Optional(Type.Array(Tag, { maxItems: 50, ...during({ since: '2.52' }) })),
  trusted_image_certificates: Type.Optional(
    Type.Union([Type.Array(Type.String(), { maxItems: 50 }), Type.Null()], during({ since: '2.63' })),
  ),
  host: Type.Optional(Type.String({ minLength: 1, maxLength: 255, ...during({ since: '2.74' }) })),
  hypervisor_hostname: Type.Optional(Type.String({ minLength: 1, maxLength: 255, ...during({ since: '2.74' }) })),
  hostname: Type.Optional(Type.Intersect([HostnameText], during({ since: '2.90' }))),
};
const around = { 'os:scheduler_hints': Hints, 'OS-SCH-HNT:scheduler_hints': Hints };

const withoutWord = Type.Object(
  { server: Type.Object({ ...order, networks: Type.Optional(Networks) }, shut), ...around },
  shut,
);
const withWord = Type.Object(
  {
    server: Type.Object(
      { ...order, networks: Type.Union([Networks, Type.Literal('auto'), Type.Literal('none')]) },
      shut,
    ),
    ...around,
  },
  shut,
);

/** From 2.37 on a body must say what it wants of networks. */
export const newServerBody = body(variants(['2.1', withoutWord], ['2.37', withWord]));
type NewServerBody = Static<typeof withoutWord> | Static<typeof withWord>;
type Ordered = NewServerBody['server'];

/** What the body orders, with its texts checked and normalized. Throws `invalid`. */
export function orderOf(request: NewServerBody): ServerOrder {
  const { server } = request;
  const { minCount, maxCount } = countsOf(server);
  refuseCertificates(server.trusted_image_certificates);
  const devices = devicesOf(server);
  return {
    name: server.name,
    description: server.description ?? null,
    hostname: server.hostname ?? null,
    imageId: imageOf(server, devices),
    devices,
    flavorId: flavorOf(server.flavorRef),
    keyName: server.key_name ?? null,
    metadata: server.metadata ?? {},
    userData: userDataOf(server.user_data),
    adminPass: server.adminPass ?? null,
    files: filesOf(server.personality),
    configDrive: truth(server.config_drive ?? false),
    networks: networksOf(server),
    securityGroups: [...new Set((server.security_groups ?? []).map(({ name }) => name))],
    minCount,
    maxCount,
    ...placeOf(server),
    tags: [...new Set(server.tags ?? [])],
    hints: request['os:scheduler_hints'] ?? request['OS-SCH-HNT:scheduler_hints'] ?? {},
    accessIpV4: addressOf(server.accessIPv4 ?? '', 4),
    accessIpV6: addressOf(server.accessIPv6 ?? '', 6),
    diskConfig: server['OS-DCF:diskConfig'] ?? 'MANUAL',
  };
}

export const wantsReservation = ({ server }: NewServerBody): boolean => truth(server.return_reservation_id ?? false);

/** The bare names of nodes that an administrator may ask for, in any of the three ways. */
export const asksForHost = ({ server }: NewServerBody): 'forced' | 'requested' | undefined => {
  if (server.availability_zone?.includes(':')) return 'forced';
  return server.host !== undefined || server.hypervisor_hostname !== undefined ? 'requested' : undefined;
};

const COUNT_MAX = 1_000;

function countsOf(server: Ordered): { minCount: number; maxCount: number } {
  const minCount = whole(server.min_count ?? 1, 'min_count', 1, COUNT_MAX);
  const maxCount = whole(server.max_count ?? minCount, 'max_count', 1, COUNT_MAX);
  if (minCount > maxCount) throw fail.invalid('min_count must be <= max_count');
  return { minCount, maxCount };
}

/** The image to boot from. What boots from anything else would need a volume. */
function imageOf({ imageRef = '' }: Ordered, devices: readonly DeviceWish[]): string {
  if (isUuid(imageRef)) return imageRef.toLowerCase();
  if (imageRef || !devices.length) throw fail.invalid('Invalid imageRef provided.');
  throw bootTrouble(devices);
}

/** An id, or a URL that ends in one, as clients of the first version send. */
export const flavorOf = (ref: string | number): string => String(ref).split('/').at(-1) ?? '';

export function refuseCertificates(asked: readonly string[] | null | undefined): void {
  if (asked?.length)
    throw fail.invalid('trusted_image_certificates can not be used: this cloud does not validate image certificates.');
}

/** Base64 as sent, or null. Throws `invalid`. */
export function userDataOf(text: string | null | undefined): string | null {
  if (!text) return null;
  if (!isBase64(text)) throw fail.invalid('Invalid input for field/attribute user_data. It is not valid base64.');
  return text;
}

/** Throws `invalid` for contents that are not base64. */
export function filesOf(files: ServerOrder['files'] = []): ServerOrder['files'] {
  const broken = files.find((file) => !isBase64(file.contents));
  if (broken) throw fail.invalid(`Personality content for ${broken.path} cannot be decoded`);
  return files;
}

function networksOf(server: Ordered): ServerOrder['networks'] {
  const asked = server.networks;
  if (asked === undefined) return 'any';
  if (asked === 'auto' || asked === 'none') return asked;
  if (!asked.length) return 'any';
  const wishes = asked.map(nicOf);
  const ports = wishes.map(({ portId }) => portId).filter(Boolean);
  if (new Set(ports).size !== ports.length) throw fail.invalid('Duplicate ports are not allowed.');
  return wishes;
}

function nicOf(asked: Static<typeof NicBody>): NicWish {
  const wish = {
    portId: (asked.port ?? '').toLowerCase(),
    networkId: (asked.uuid ?? '').toLowerCase(),
    fixedIp: '',
    tag: asked.tag ?? '',
  };
  if (!wish.portId && !wish.networkId) throw fail.invalid('Bad network format: missing uuid or port');
  if (asked.fixed_ip === undefined || asked.fixed_ip === '') return wish;
  if (wish.portId)
    throw fail.invalid('Specified Fixed IP can not be used together with the port of the same interface.');
  if (!ipaddr.isValid(asked.fixed_ip)) throw fail.invalid(`Invalid fixed IP address (${asked.fixed_ip.slice(0, 64)})`);
  return { ...wish, fixedIp: canonical(asked.fixed_ip) };
}

function placeOf(server: Ordered): Pick<ServerOrder, 'zone' | 'onlyHost'> {
  const [zone = '', host = '', node = ''] = (server.availability_zone ?? '').split(':', 3);
  const asked = [host, node, server.host ?? '', server.hypervisor_hostname ?? ''].filter(Boolean);
  if (new Set(asked).size > 1) throw fail.invalid('The hosts that the request names differ from each other.');
  return { zone: zone || null, onlyHost: asked[0] ?? '' };
}

const canonical = (text: string): string => {
  const address = ipaddr.parse(text);
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
};

/** An address of that version in its canonical form, or ''. Throws `invalid`. */
export function addressOf(text: string, version: 4 | 6): string {
  if (text === '') return '';
  const valid = version === 4 ? ipaddr.IPv4.isValidFourPartDecimal(text) : ipaddr.IPv6.isValid(text);
  if (!valid)
    throw fail.invalid(
      `Invalid input for field/attribute accessIPv${version}. Value: ${text}. It is not an IPv${version} address.`,
    );
  return canonical(text);
}
