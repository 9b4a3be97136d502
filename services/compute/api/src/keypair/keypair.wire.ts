/** Key pairs on the wire. */
import { Type } from 'typebox';
import { body, during, variants, view } from '#libs/wire';
import type { Keypair } from '#services/compute/domain';
import { looseQuery } from '../paging.wire.js';
import { isoNaive } from '../values.wire.js';

const nameOf = (extra: string) =>
  Type.String({ minLength: 1, maxLength: 255, pattern: `^(?! )[a-zA-Z0-9_ ${extra}-]+(?<! )$` });

const KeyName = variants(['2.1', nameOf('')], ['2.92', nameOf('@.')]);
const PublicKey = Type.String({ maxLength: 32_768 });

const fields = {
  name: KeyName,
  type: Type.Optional(Type.Union([Type.Literal('ssh'), Type.Literal('x509')], during({ since: '2.2' }))),
  user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 255, ...during({ since: '2.10' }) })),
};
const shut = { additionalProperties: false } as const;

/** Up to 2.91 the service makes a key where none is given. */
export const newKeypairBody = body(
  variants(
    ['2.1', Type.Object({ keypair: Type.Object({ ...fields, public_key: Type.Optional(PublicKey) }, shut) }, shut)],
    ['2.92', Type.Object({ keypair: Type.Object({ ...fields, public_key: PublicKey }, shut) }, shut)],
  ),
);

const UserId = Type.Optional(Type.Array(Type.String(), during({ since: '2.10' })));
export const keypairsQuery = looseQuery({
  user_id: UserId,
  limit: Type.Optional(Type.Integer({ minimum: 0, ...during({ since: '2.35' }) })),
  marker: Type.Optional(Type.String(during({ since: '2.35' }))),
});
export const keypairQuery = looseQuery({ user_id: UserId });

const shortFields = [
  { name: 'name', from: (key: Keypair) => key.name },
  { name: 'public_key', from: (key: Keypair) => key.publicKey },
  { name: 'fingerprint', from: (key: Keypair) => key.fingerprint },
  { name: 'type', since: '2.2', from: (key: Keypair) => key.type },
];

export const listedKeypair = view<Keypair>(shortFields);

export const shownKeypair = view<Keypair>([
  ...shortFields,
  { name: 'user_id', from: (key) => key.userId },
  { name: 'id', from: (key) => key.number },
  { name: 'created_at', from: (key) => isoNaive(key.createdAt) },
  { name: 'updated_at', from: () => null },
  { name: 'deleted', from: () => false },
  { name: 'deleted_at', from: () => null },
]);

/** What a creation answers; the private key is shown here, once, and kept nowhere. */
export const madeKeypair = view<Keypair & { readonly privateKey: string | undefined }>([
  ...shortFields,
  { name: 'user_id', from: (key) => key.userId },
  { name: 'private_key', from: (key) => key.privateKey },
]);
