/** The feed that every other service judges tokens by. */
import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { identityV1 } from '#libs/contract';
import type { Implementation } from '#libs/platform/grpc';
import type { RevocationLog } from '#services/identity/data';

export interface NamedKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/** The verification halves of the signing keys, as PEM. */
export const publicKeys = (keys: readonly NamedKey[]): { kid: string; publicPem: string }[] =>
  keys.map(({ kid, key }) => ({
    kid,
    publicPem: createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString(),
  }));

type Feed = Implementation<typeof identityV1.FeedService>;
type FeedEvent = NonNullable<identityV1.FeedEvent['event']>;

/** Revocations first, then keys and a beat: a follower that starts judges nothing before it knows everything. */
export function feedServer(log: RevocationLog, keys: readonly NamedKey[]): Feed {
  const known = publicKeys(keys);
  return {
    async follow({ afterSeq }, _peer, emit, signal) {
      const send = (event: FeedEvent) => emit({ event });
      let told = false;
      const stop = await log.follow(afterSeq, {
        revoked: (revocation) => send({ $case: 'revocation', value: revocation }),
        beat: (seq, nowMs) => {
          if (!told) send({ $case: 'keys', value: { keys: known } });
          told = true;
          send({ $case: 'beat', value: { seq, nowMs } });
        },
      });
      const ended = AbortSignal.any([signal, log.stopped]);
      await new Promise<void>((resolve) => {
        if (ended.aborted) resolve();
        else ended.addEventListener('abort', () => resolve(), { once: true });
      });
      stop();
    },
  };
}
