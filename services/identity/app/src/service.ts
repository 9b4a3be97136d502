/**
 * Identity, put together: what `main` starts, and what tests start on a scratch database. Two processes of it run side by
 * side on one database, so that one may die: both issue and validate tokens, both stream the feed, and each takes up what
 * the other has revoked.
 */
import { identityV1, operatorV1 } from '#libs/contract';
import { type Clock, delay, randomIds, systemClock } from '#libs/kernel';
import { productVersion, type ServiceConfig } from '#libs/platform/config';
import { type Db, openDb, untilReachable } from '#libs/platform/db';
import { bind, serveGrpc } from '#libs/platform/grpc';
import { serveHttp } from '#libs/platform/http';
import { Gauge, type Log, metrics } from '#libs/platform/log';
import { TokenVerifier } from '#libs/platform/policy';
import { keystoneDialect } from '#libs/wire';
import { identityModule, identityOps, Settings } from '#services/identity/api';
import { bootstrap, identityMigrations, makeStore, Secrets, type Store } from '#services/identity/data';
import { feedServer, operatorServer, publicKeys, startPruner } from '#services/identity/worker';
import type { IdentityOptions } from './options.js';

export interface ServiceParts {
  readonly config: ServiceConfig;
  readonly options: IdentityOptions;
  readonly log: Log;
  readonly clock?: Clock;
}

export interface RunningIdentity {
  readonly store: Store;
  readonly verifier: TokenVerifier;
  stop(): Promise<void>;
}

/** Whoever judges tokens. Nodes do not. */
const FOLLOWERS = new Set(['identity', 'image', 'network', 'placement', 'compute', 'volume', 'cli']);

/** Starts everything; resolves when both ports are open. */
export async function startIdentity({
  config,
  options,
  log,
  clock = systemClock,
}: ServiceParts): Promise<RunningIdentity> {
  const { database: url, process: applicationName } = config;
  const db = await openDb({ url, applicationName, migrationSets: [identityMigrations], log });
  const verifier = new TokenVerifier(clock);
  const store = makeStore(db, verifier, options.seal, clock, log);
  const secrets = await Secrets.open();
  await untilReachable({ log }, () => bootstrap(db, secrets, randomIds, options.bootstrap));
  await untilReachable({ log }, () => store.directory.start());
  await untilReachable({ log }, () => store.revocations.start());
  verifier.setKeys(publicKeys(options.keys));
  measure(store);
  const settings = new Settings(randomIds, clock, options.tokenLifetimeMs, options.signing);
  const http = await serveHttp(identityModule({ store, verifier, secrets, settings }), {
    ...config.http,
    ops: identityOps,
    dialect: keystoneDialect,
    verifier,
    publicBase: `${config.publicUrl}/identity`,
    log,
    health: async () => ({ database: await answers(db), feed: store.revocations.alive }),
  });
  const stopGrpc = await startGrpc(config, options, store, log, clock);
  const stopPruner = startPruner(store.tokens, log);
  const stop = async (): Promise<void> => {
    stopPruner();
    store.revocations.stop();
    await http.close();
    await stopGrpc();
    await db.close();
  };
  return { store, verifier, stop };
}

function startGrpc(config: ServiceConfig, { keys }: IdentityOptions, store: Store, log: Log, clock: Clock) {
  const about = { process: config.process, version: productVersion(), startedAtMs: clock.now().getTime() };
  return serveGrpc({ ...config.grpc, tls: config.tls, log }, [
    bind(identityV1.FeedService, feedServer(store.revocations, keys), (peer) => FOLLOWERS.has(peer), log),
    bind(operatorV1.OperatorService, operatorServer({ store, clock, ...about }), (peer) => peer === 'cli', log),
  ]);
}

const ANSWERS_WITHIN_MS = 2_000;

const answers = (db: Db): Promise<boolean> =>
  Promise.race([
    db.one('select 1').then(
      () => true,
      () => false,
    ),
    delay(ANSWERS_WITHIN_MS).then(() => false),
  ]);

/** The latest store counts, where tests start several in one process. */
function measure(store: Store): void {
  const gauge = (name: string, help: string, value: () => number) => {
    metrics.removeSingleMetric(name);
    new Gauge({
      name,
      help,
      registers: [metrics],
      collect() {
        this.set(value());
      },
    });
  };
  gauge('identity_feed_followers', 'Streams of the token feed that are open', () => store.revocations.followers);
  gauge('identity_revocations', 'Revocations that may still concern a token', () => store.revocations.size);
}
