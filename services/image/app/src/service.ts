/** The image service, put together: what `main` starts, and what tests start on scratch stores. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Clock, type Ids, randomIds, systemClock } from '#libs/kernel';
import { type ServiceConfig, validated } from '#libs/platform/config';
import { type Db, openDb } from '#libs/platform/db';
import { serveGrpc } from '#libs/platform/grpc';
import { serveHttp } from '#libs/platform/http';
import type { Log } from '#libs/platform/log';
import type { TokenVerifier } from '#libs/platform/policy';
import { glanceDialect } from '#libs/wire';
import {
  addBlobRoute,
  FURTHER_RULES,
  ImageOptions,
  ImageSettings,
  imageApiOps,
  imageModule,
} from '#services/image/api';
import {
  BooksRepo,
  Gate,
  ImageFiles,
  ImageRepo,
  imageMigrations,
  MemberRepo,
  SignedUrls,
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

/** Compiled code lies one level deeper than the checkout's own package.json; both say the version. */
function version(): string {
  const require = createRequire(import.meta.url);
  for (const path of ['../../../../package.json', '../../../../../package.json']) {
    try {
      return (require(path) as { version: string }).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return 'unknown';
}

/** Starts everything; resolves when both ports are open. */
export async function startService(parts: ServiceParts): Promise<RunningService> {
  const { config, verifier, log, clock = systemClock, ids = randomIds } = parts;
  assertMachine();
  const startedAt = clock.now();
  const settings = new ImageSettings(validated(ImageOptions, config.options ?? {}, 'options'));
  const { options } = settings;
  const files = new ImageFiles(options.storeDir ?? join(config.stateDir, 'store'), options.diskReserveBytes);
  await files.prepare();
  const gate = await Gate.open({ program: parts.gateProgram, maxVirtual: options.maxVirtualBytes });
  log.info({ confinement: gate.confinement }, 'the image gate works');
  const db = await openDb({
    url: config.database,
    applicationName: config.process,
    migrationSets: [imageMigrations],
    log,
  });
  const images = new ImageRepo(db, clock);
  const uploads = new UploadRepo(db, clock);
  const books = new BooksRepo(db);
  const urls = new SignedUrls(options.imageBaseUrl.replace(/\/$/, ''), options.urlSigningKey);
  const sweeper = new Sweeper({ uploads, books, files, clock, log }, parts.sweeperTimes);
  const module = imageModule({
    images,
    members: new MemberRepo(db, clock),
    uploads,
    books,
    files,
    gate,
    settings,
    ids,
    log,
  });
  const app = await serveHttp(module, {
    ...config.http,
    ops: imageApiOps,
    rules: FURTHER_RULES,
    dialect: glanceDialect,
    verifier,
    publicBase: `${config.publicUrl}/image`,
    log,
    health: async () => ({ database: await books.alive(), tokens: verifier.fresh }),
    extra: (fastify) => addBlobRoute(fastify, { images, files, urls, clock }),
  });
  const about = { process: config.process, version: version(), startedAt, confinement: gate.confinement };
  const stopGrpc = await serveGrpc({ ...config.grpc, tls: config.tls, log }, [
    imageBinding({ images, urls, clock, log }),
    operatorBinding({ books, files, sweeper, clock, log, ...about }),
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
