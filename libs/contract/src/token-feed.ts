/**
 * Keeps a TokenVerifier in step with identity: one stream from each of its processes, each resumed by sequence number and
 * reconnecting for ever. Every process streams everything, in order, so that one that is dead, frozen or cut off from the
 * database delays nothing; what comes twice is taken once.
 */
import { delay } from '#libs/kernel';
import type { TlsFiles } from '#libs/platform/config';
import { connectGrpc } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import type { TokenVerifier } from '#libs/platform/policy';
import { type FeedEvent, FeedService } from './generated/identity/v1/feed.js';

/** Starts following; returns what stops it. */
export function followTokenFeed(
  verifier: TokenVerifier,
  addresses: readonly string[],
  tls: TlsFiles,
  log: Log,
): () => void {
  const stopped = new AbortController();
  for (const address of addresses) void keepFollowing(verifier, address, tls, log, stopped.signal);
  return () => stopped.abort();
}

async function keepFollowing(
  verifier: TokenVerifier,
  address: string,
  tls: TlsFiles,
  log: Log,
  stopped: AbortSignal,
): Promise<void> {
  const feed = connectGrpc(FeedService, [address], 'identity', tls);
  let broken = false;
  while (!stopped.aborted) {
    const silent = new AbortController();
    const signal = AbortSignal.any([stopped, silent.signal]);
    let watchdog = setTimeout(() => silent.abort(), 3_000);
    const onEvent = (event: FeedEvent) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => silent.abort(), 3_000);
      broken = false;
      apply(verifier, event);
    };
    try {
      await feed.follow({ afterSeq: verifier.lastSeq }, onEvent, signal);
    } catch (error) {
      if (!broken) log.warn({ err: error, address }, 'the token feed broke; following again');
      broken = true;
    }
    clearTimeout(watchdog);
    await delay(200, stopped);
  }
  feed.close();
}

function apply(verifier: TokenVerifier, { event }: FeedEvent): void {
  if (event?.$case === 'keys') verifier.setKeys(event.value.keys);
  else if (event?.$case === 'revocation') verifier.revoke(event.value);
  else if (event?.$case === 'beat') verifier.heard();
}
