/** The placement service, put together: what `main` starts, and what tests start on scratch stores. */
import { type Clock, type Ids, randomIds, systemClock } from '#libs/kernel';
import { productVersion, type ServiceConfig, validated } from '#libs/platform/config';
import { type Db, openDb, untilReachable } from '#libs/platform/db';
import { type Binding, serveGrpc } from '#libs/platform/grpc';
import { serveHttp } from '#libs/platform/http';
import type { Log } from '#libs/platform/log';
import type { TokenVerifier } from '#libs/platform/policy';
import { placementDialect } from '#libs/wire';
import { PLACEMENT_SPACE, PlacementStore, placementApiOps, placementModule } from '#services/placement/api';
import {
  AllocationRepo,
  BooksRepo,
  ClaimRepo,
  NamesRepo,
  ProviderRepo,
  PulseRepo,
  placementMigrations,
  ReshapeRepo,
  SnapshotKeeper,
} from '#services/placement/data';
import {
  operatorBinding,
  Pulses,
  policyOf,
  Scheduler,
  SchedulerOptions,
  schedulerBinding,
} from '#services/placement/worker';

export interface ServiceParts {
  readonly config: ServiceConfig;
  readonly verifier: TokenVerifier;
  readonly log: Log;
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** In [0, 1). */
  readonly random?: () => number;
}

export interface RunningService {
  readonly db: Db;
  stop(): Promise<void>;
}

const PURGE_EVERY_MS = 3_600_000;
const EVENTS_KEPT_DAYS = 30;

/** Starts everything; resolves when both ports are open. */
export async function startService(parts: ServiceParts): Promise<RunningService> {
  const { config, verifier, log, clock = systemClock, ids = randomIds } = parts;
  const startedAt = clock.now();
  const db = await openDb({
    url: config.database,
    applicationName: config.process,
    migrationSets: [placementMigrations],
    poolSize: 10,
    log,
  });
  const books = new BooksRepo(db);
  const keeper = new SnapshotKeeper(db);
  // The first look reads every provider: none of what is served may find only some of them, or wait for it.
  await untilReachable({ log }, () => keeper.fresh());
  const providers = new ProviderRepo(db);
  const allocations = new AllocationRepo(db);
  const pulses = new PulseRepo(db);
  const scheduler = new Scheduler({
    ...{ claims: new ClaimRepo(db), keeper, pulses: new Pulses(pulses, clock), clock },
    policy: policyOf(validated(SchedulerOptions, config.options ?? {}, 'options')),
    random: parts.random ?? Math.random,
  });
  const store = new PlacementStore(
    keeper,
    providers,
    allocations,
    NamesRepo.classes(db),
    NamesRepo.traits(db),
    new ReshapeRepo(db),
    { clock, ids },
  );
  const app = await serveHttp(placementModule(store), {
    ...config.http,
    ops: placementApiOps,
    dialect: placementDialect(PLACEMENT_SPACE),
    verifier,
    publicBase: `${config.publicUrl}/placement`,
    log,
    health: async () => ({ database: await books.alive(), tokens: verifier.fresh }),
  });
  const about = { process: config.process, version: productVersion(), startedAt };
  const bindings: Binding[] = [
    schedulerBinding({ scheduler, providers, allocations, pulses, keeper, log }),
    operatorBinding({ books, allocations, keeper, clock, log, ...about }),
  ];
  const stopGrpc = await serveGrpc({ ...config.grpc, tls: config.tls, log }, bindings);
  const purging = setInterval(() => {
    books.purge(EVENTS_KEPT_DAYS).catch((error: unknown) => log.warn({ err: error }, 'old events could not be purged'));
  }, PURGE_EVERY_MS);
  const stop = async (): Promise<void> => {
    clearInterval(purging);
    await app.close();
    await stopGrpc();
    await db.close();
  };
  return { db, stop };
}
