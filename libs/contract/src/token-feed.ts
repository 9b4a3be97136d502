/** Keeps a TokenVerifier in step with identity: one stream, resumed by sequence number, reconnecting for ever. */
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
  void keepFollowing(verifier, addresses, tls, log, stopped.signal);
  return () => stopped.abort();
}

async function keepFollowing(
  verifier: TokenVerifier,
  addresses: readonly string[],
  tls: TlsFiles,
  log: Log,
  stopped: AbortSignal,
): Promise<void> {
  const feed = connectGrpc(FeedService, addresses, 'identity', tls);
  while (!stopped.aborted) {
    const silent = new AbortController();
    const signal = AbortSignal.any([stopped, silent.signal]);
    let watchdog = setTimeout(() => silent.abort(), 3_000);
    const onEvent = (event: FeedEvent) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => silent.abort(), 3_000);
      apply(verifier, event);
    };
    try {
      await feed.follow({ afterSeq: verifier.lastSeq }, onEvent, signal);
    } catch (error) {
      log.warn({ err: error }, 'the token feed broke; following again');
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
