/** The image service, put together: what `main` starts, and what tests start on scratch stores. */
import { join } from 'node:path';
import { restBinding } from '#libs/contract';
import { type Clock, type Ids, randomIds, systemClock } from '#libs/kernel';
import { productVersion, type ServiceConfig, validated } from '#libs/platform/config';
import { type Db, openDb } from '#libs/platform/db';
import { serveGrpc } from '#libs/platform/grpc';
import { serveHttp } from '#libs/platform/http';
import type { Log } from '#libs/platform/log';
import type { TokenVerifier } from '#libs/platform/policy';
import { glanceDialect } from '#libs/wire';
import {
  addBlobRoute,
  addBlobUploadRoute,
  FURTHER_RULES,
  ImageOptions,
  ImageSettings,
  ImageUploads,
  imageApiOps,
  imageModule,
  refuseEmptyIds,
} from '#services/image/api';
import {
  BooksRepo,
  Gate,
  ImageFiles,
  ImageRepo,
  imageMigrations,
  MemberRepo,
  SignedUrls,
  SnapshotRepo,
  UploadRepo,
} from '#services/image/data';
import { assertMachine } from '#services/image/domain';
import { imageBinding, operatorBinding, Sweeper, type SweeperTimes } from '#services/image/worker';

export interface ServiceParts {
  readonly config: ServiceConfig;
  readonly verifier: TokenVerifier;
  readonly log: Log;
  /** The gate's compiled program. */
  readonly gateProgram: string;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly sweeperTimes?: SweeperTimes;
}

export interface RunningService {
  readonly db: Db;
  readonly files: ImageFiles;
  readonly sweeper: Sweeper;
  stop(): Promise<void>;
}

/** Everything that handlers, gRPC and the sweeper share. */
async function prepare({ config, log, gateProgram, clock = systemClock }: ServiceParts) {
  const settings = new ImageSettings(validated(ImageOptions, config.options ?? {}, 'options'));
  const { options } = settings;
  const files = new ImageFiles(options.storeDir ?? join(config.stateDir, 'store'), options.diskReserveBytes);
  await files.prepare();
  const gate = await Gate.open({ program: gateProgram, maxVirtual: options.maxVirtualBytes });
  log.info({ confinement: gate.confinement }, 'the image gate works');
  const { database: url, process: applicationName } = config;
  const db = await openDb({ url, applicationName, migrationSets: [imageMigrations], log });
  const images = new ImageRepo(db, clock);
  return {
    settings,
    limits: settings.limits,
    files,
    gate,
    db,
    clock,
    log,
    images,
    snapshots: new SnapshotRepo(db, clock, images),
    members: new MemberRepo(db, clock),
    uploads: new UploadRepo(db, clock),
    books: new BooksRepo(db),
    urls: new SignedUrls(options.imageBaseUrl.replace(/\/$/, ''), options.urlSigningKey),
  };
}

/** Takes bytes in, from tenants and from nodes. */
function receiverOf(stores: Awaited<ReturnType<typeof prepare>>, ids: Ids): ImageUploads {
  const { maxImageBytes, uploadIdleMs } = stores.settings.options;
  return new ImageUploads({ ...stores, ids }, { quota: stores.limits, maxBytes: maxImageBytes, idleMs: uploadIdleMs });
}

/** Starts everything; resolves when both ports are open. */
export async function startService(parts: ServiceParts): Promise<RunningService> {
  const { config, verifier, log, ids = randomIds } = parts;
  assertMachine();
  const stores = await prepare(parts);
  const { db, files, gate, books, clock } = stores;
  const sweeper = new Sweeper(stores, parts.sweeperTimes);
  const receiver = receiverOf(stores, ids);
  const app = await serveHttp(imageModule({ ...stores, ids, receiver }), {
    ...config.http,
    ops: imageApiOps,
    rules: FURTHER_RULES,
    dialect: glanceDialect,
    verifier,
    publicBase: `${config.publicUrl}/image`,
    log,
    health: async () => ({ database: await books.alive(), tokens: verifier.fresh }),
    extra: (fastify) => {
      refuseEmptyIds(fastify);
      addBlobRoute(fastify, stores);
      addBlobUploadRoute(fastify, { ...stores, receiver });
    },
  });
  const about = { process: config.process, version: productVersion(), startedAt: clock.now() };
  const stopGrpc = await serveGrpc({ ...config.grpc, tls: config.tls, log }, [
    imageBinding(stores),
    restBinding(app, log),
    operatorBinding({ ...stores, ...about, sweeper, confinement: gate.confinement }),
  ]);
  const stopping = new AbortController();
  const sweeping = sweeper.run(stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await app.close();
    await stopGrpc();
    await sweeping;
    await db.close();
  };
  return { db, files, sweeper, stop };
}
