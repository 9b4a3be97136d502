/** Identity's own part of the configuration. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { validated } from '#libs/platform/config';
import { LONGEST_TOKEN_MS } from '#libs/platform/policy';
import { Seal } from '#services/identity/data';

const Options = Type.Object({
  /** Ed25519, PKCS#8. One signs; the others still verify what they signed. */
  signingKeys: Type.Array(
    Type.Object({
      kid: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
      privatePem: Type.String(),
      current: Type.Optional(Type.Boolean()),
    }),
    { minItems: 1 },
  ),
  /** For secrets that users keep here; derived from the signing keys where none is given. */
  sealingKeys: Type.Optional(
    Type.Array(
      Type.Object({
        id: Type.String(),
        secret: Type.String({ minLength: 16 }),
        current: Type.Optional(Type.Boolean()),
      }),
      { minItems: 1 },
    ),
  ),
  tokenLifetimeSeconds: Type.Optional(Type.Integer({ minimum: 60, maximum: LONGEST_TOKEN_MS / 1_000 })),
  bootstrap: Type.Object({
    adminPassword: Type.String({ minLength: 8 }),
    demoPassword: Type.String({ minLength: 8 }),
    region: Type.String({ minLength: 1 }),
    endpoints: Type.Record(Type.String(), Type.String()),
  }),
});

const HOUR_S = 3_600;

export interface IdentityOptions {
  readonly keys: readonly { readonly kid: string; readonly key: KeyObject }[];
  readonly signing: { readonly kid: string; readonly key: KeyObject };
  readonly seal: Seal;
  readonly tokenLifetimeMs: number;
  readonly bootstrap: Static<typeof Options>['bootstrap'];
}

/** Throws an Error fit for the operator's eyes, with no secret in it. */
export function identityOptions(value: unknown): IdentityOptions {
  const options = validated(Options, value, 'the options of identity');
  const keys = options.signingKeys.map(({ kid, privatePem }) => ({ kid, key: privateKey(kid, privatePem) }));
  const current = options.signingKeys.findIndex((key) => key.current);
  return {
    keys,
    signing: keys[Math.max(current, 0)]!,
    seal: sealOf(options),
    tokenLifetimeMs: (options.tokenLifetimeSeconds ?? HOUR_S) * 1_000,
    bootstrap: options.bootstrap,
  };
}

function privateKey(kid: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Error(`the signing key ${kid} is no private key in PEM`);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`the signing key ${kid} is not of Ed25519`);
  return key;
}

function sealOf({ sealingKeys, signingKeys }: Static<typeof Options>): Seal {
  const keys = sealingKeys ?? signingKeys.map((key) => ({ id: key.kid, secret: key.privatePem, current: key.current }));
  const current = keys.find((key) => key.current) ?? keys[0]!;
  return new Seal(new Map(keys.map(({ id, secret }) => [id, secret])), current.id);
}
