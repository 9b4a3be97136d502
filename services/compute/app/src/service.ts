/** The compute service, put together: the API in front, the worker behind it, one database between them. */
import { join } from 'node:path';
import { imageV1, networkV1, placementV1 } from '#libs/contract';
import { type Clock, type Ids, randomIds, systemClock } from '#libs/kernel';
import { productVersion, type ServiceConfig, validated } from '#libs/platform/config';
import { type Db, openDb } from '#libs/platform/db';
import { flowMigrations } from '#libs/platform/flow';
import { connectGrpc, serveGrpc } from '#libs/platform/grpc';
import { serveHttp } from '#libs/platform/http';
import type { Log } from '#libs/platform/log';
import type { TokenVerifier } from '#libs/platform/policy';
import {
  computeDialect,
  computeModule,
  computeOps,
  computeRules,
  connectAgents,
  connectPeers,
} from '#services/compute/api';
import { computeMigrations, ServerPasswordRepo, ServerRepo, SpecRepo, sealFromFile } from '#services/compute/data';
import { ComputeWorker, WorkerOptions } from '#services/compute/worker';

export interface ServiceParts {
  readonly config: ServiceConfig;
  readonly verifier: TokenVerifier;
  readonly log: Log;
  /** Ends the wait for a database that is away at start. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly ids?: Ids;
}

export interface RunningService {
  readonly db: Db;
  readonly worker: ComputeWorker;
  stop(): Promise<void>;
}

/** How long an operator's change of a node waits for placement to hear of it. */
const PATIENCE_MS = 3_000;
/** What is at work at a stop has this long to come to its record. */
const GRACE_MS = 1_000;

/** Starts everything; resolves when both ports are open. Waits for the database, and for nobody else. */
export async function startService(parts: ServiceParts): Promise<RunningService> {
  const { config, verifier, log, signal, clock = systemClock, ids = randomIds } = parts;
  if (config.amqp === undefined) throw new Error('config/amqp is missing');
  const options = validated(WorkerOptions, config.options ?? {}, 'options');
  const seal = sealFromFile(join(config.stateDir, 'seal.key'));
  const agentOf = connectAgents(config.tls);
  const peers = connectPeers(config, agentOf);
  const db = await openDb({
    url: config.database,
    applicationName: config.process,
    migrationSets: [flowMigrations, computeMigrations],
    poolSize: 16,
    log,
    ...(signal ? { signal } : {}),
  });
  const worker = new ComputeWorker({
    ...{ db, options, process: config.process, version: productVersion(), clock, ids, log, amqp: config.amqp },
    ...{ servers: new ServerRepo(seal), specs: new SpecRepo(seal), passwords: new ServerPasswordRepo(seal), agentOf },
    ...connectWorkerPeers(config),
  });
  const app = await serveHttp(
    computeModule({ db, seal, peers, clock, ids, consoleBase: `${config.publicUrl}/console`, patienceMs: PATIENCE_MS }),
    {
      ...config.http,
      ops: computeOps,
      rules: computeRules,
      dialect: computeDialect,
      verifier,
      publicBase: `${config.publicUrl}/compute`,
      log,
      health: async () => ({ database: await alive(db), tokens: verifier.fresh, ...worker.health() }),
    },
  );
  const stopGrpc = await serveGrpc({ ...config.grpc, tls: config.tls, log }, worker.bindings());
  await worker.start();
  const stop = async (): Promise<void> => {
    await Promise.all([app.close(), stopGrpc(), worker.stop(GRACE_MS)]);
    await db.close();
  };
  return { db, worker, stop };
}

function connectWorkerPeers({ peers, tls }: ServiceConfig) {
  return {
    placement: connectGrpc(placementV1.SchedulerService, peers['placement'] ?? [], 'placement', tls),
    network: connectGrpc(networkV1.PortsService, peers['network'] ?? [], 'network', tls),
    images: connectGrpc(imageV1.ImagesService, peers['image'] ?? [], 'image', tls),
  };
}

const alive = (db: Db): Promise<boolean> =>
  db.one('select 1').then(
    () => true,
    () => false,
  );
