/** The order of a rebuild as it comes in, and the server as it is answered. */
import { type Static, Type } from 'typebox';
import { body, during, variants } from '#libs/wire';
import type { RebuildOrder } from '#services/compute/domain';
import { Metadata, Name, Truth, truth } from '../values.wire.js';
import { addressOf, Files, filesOf, HostnameText, refuseCertificates, Uuid, userDataOf } from './server-create.wire.js';

const shut = { additionalProperties: false } as const;
const orNull = (text: { readonly maxLength: number; readonly minLength?: number }, since: string) =>
  Type.Optional(Type.Union([Type.String(text), Type.Null()], during({ since })));

const rebuild = Type.Object(
  {
    imageRef: Uuid,
    name: Type.Optional(Name),
    adminPass: Type.Optional(Type.String({ maxLength: 255 })),
    metadata: Type.Optional(Metadata),
    preserve_ephemeral: Type.Optional(Truth),
    'OS-DCF:diskConfig': Type.Optional(Type.Union([Type.Literal('AUTO'), Type.Literal('MANUAL')])),
    accessIPv4: Type.Optional(Type.String({ maxLength: 64 })),
    accessIPv6: Type.Optional(Type.String({ maxLength: 64 })),
    personality: Files,
    description: orNull({ maxLength: 255 }, '2.19'),
    key_name: orNull({ minLength: 1, maxLength: 255 }, '2.54'),
    user_data: orNull({ maxLength: 65_535 }, '2.57'),
    trusted_image_certificates: Type.Optional(
      Type.Union([Type.Array(Type.String(), { maxItems: 50 }), Type.Null()], during({ since: '2.63' })),
    ),
    hostname: Type.Optional(Type.Intersect([HostnameText], during({ since: '2.90' }))),
  },
  shut,
);
export const rebuildBody = body(variants(['2.1', Type.Object({ rebuild }, shut)]));

/** With its texts checked and normalized. Throws `invalid`. */
export function rebuildOf(asked: Static<typeof rebuild>, freshPassword: () => string): RebuildOrder {
  refuseCertificates(asked.trusted_image_certificates);
  const { name, description, metadata, hostname, accessIPv4, accessIPv6 } = asked;
  const diskConfig = asked['OS-DCF:diskConfig'];
  return {
    imageId: asked.imageRef.toLowerCase(),
    adminPass: asked.adminPass ?? freshPassword(),
    files: filesOf(asked.personality),
    preserveEphemeral: truth(asked.preserve_ephemeral ?? false),
    ...given({ name, description, metadata, hostname, diskConfig }),
    ...given({ keyName: asked.key_name }),
    ...(asked.user_data === undefined ? {} : { userData: userDataOf(asked.user_data) }),
    ...(accessIPv4 === undefined ? {} : { accessIpV4: addressOf(accessIPv4, 4) }),
    ...(accessIPv6 === undefined ? {} : { accessIpV6: addressOf(accessIPv6, 6) }),
  };
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
/** Without the fields that are absent. */
const given = <T extends Record<string, unknown>>(fields: T): Given<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
