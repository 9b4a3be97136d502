/**
 * One process of identity. Two of them run side by side on one database, so that one may die: both issue and validate
 * tokens, both stream the feed, and each takes up what the other has revoked.
 */
import 'reflect-metadata';
import { identityV1, operatorV1 } from '#libs/contract';
import { randomIds, systemClock } from '#libs/kernel';
import { readServiceConfig, type ServiceConfig } from '#libs/platform/config';
import { type Db, openDb } from '#libs/platform/db';
import { bind, serveGrpc } from '#libs/platform/grpc';
import { serveHttp } from '#libs/platform/http';
import { Gauge, type Log, metrics, openLog } from '#libs/platform/log';
import { TokenVerifier } from '#libs/platform/policy';
import { keystoneDialect } from '#libs/wire';
import { identityModule, identityOps, Settings } from '#services/identity/api';
import { bootstrap, makeStore, migrationsDir, Secrets, type Store } from '#services/identity/data';
import { feedServer, operatorServer, publicKeys, startPruner } from '#services/identity/worker';
import { type IdentityOptions, identityOptions } from './options.js';

const startedAtMs = systemClock.now().getTime();

async function main(): Promise<void> {
  const config = readServiceConfig();
  const options = identityOptions(config.options);
  const log = openLog(config.process, config.logLevel);
  const db = await openDb({ url: config.database, applicationName: config.process, migrationsDir, log });
  const verifier = new TokenVerifier(systemClock);
  const store = makeStore(db, verifier, options.seal, systemClock, log);
  const secrets = await Secrets.open();
  await bootstrap(db, secrets, randomIds, options.bootstrap);
  await store.directory.start();
  await store.revocations.start();
  verifier.setKeys(publicKeys(options.keys));
  measure(store);
  const stopGrpc = await startGrpc(config, options, store, log);
  const http = await startHttp(config, options, store, verifier, secrets, log);
  const stopPruner = startPruner(store.tokens, log);
  onStop(log, [
    async () => stopPruner(),
    async () => http.close(),
    stopGrpc,
    async () => store.revocations.stop(),
    async () => db.close(),
  ]);
}

function startGrpc(config: ServiceConfig, options: IdentityOptions, store: Store, log: Log) {
  const operator = operatorServer({
    store,
    process: config.process,
    version: '0.1.0',
    clock: systemClock,
    startedAtMs,
  });
  return serveGrpc({ ...config.grpc, tls: config.tls, log }, [
    bind(identityV1.FeedService, feedServer(store.revocations, options.keys), () => true, log),
    bind(operatorV1.OperatorService, operator, (peer) => peer === 'cli', log),
  ]);
}

function startHttp(
  config: ServiceConfig,
  options: IdentityOptions,
  store: Store,
  verifier: TokenVerifier,
  secrets: Secrets,
  log: Log,
) {
  const settings = new Settings(randomIds, systemClock, options.tokenLifetimeMs, options.signing);
  return serveHttp(identityModule({ store, verifier, secrets, settings }), {
    ops: identityOps,
    dialect: keystoneDialect,
    verifier,
    publicBase: `${config.publicUrl}/identity`,
    log,
    ...config.http,
    health: async () => ({ database: await answers(store.db), feed: store.revocations.alive }),
  });
}

const answers = (db: Db): Promise<boolean> =>
  db.one('select 1').then(
    () => true,
    () => false,
  );

function measure(store: Store): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [metrics],
      collect() {
        this.set(value());
      },
    });
  gauge('identity_feed_followers', 'Streams of the token feed that are open', () => store.revocations.followers);
  gauge('identity_revocations', 'Revocations that may still concern a token', () => store.revocations.size);
}

/** Ends in order on SIGTERM or SIGINT, within five seconds. */
function onStop(log: Log, steps: readonly (() => Promise<unknown>)[]): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), 5_000).unref();
    for (const step of steps) await step().catch((error: unknown) => log.warn({ err: error }, 'stopping'));
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
