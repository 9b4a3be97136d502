/**
 * The built placement service as a process of its own on a database of its own whose providers are rows, for the benches:
 * asked over gRPC as by compute, and over HTTP with tokens of the bench's making. Needs a built checkout, openssl, and
 * YAGURA_TEST_PG, the URL of a PostgreSQL server whose user may create databases.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { identityV1, placementV1 } from '#libs/contract';
import type { Db } from '#libs/platform/db';
import { bind, connectGrpc, type Remote, serveGrpc } from '#libs/platform/grpc';
import { openLog } from '#libs/platform/log';
import { type Certificates, freePort, makeCertificates, scratchDatabase, TestTokens } from '#libs/testing';

const MAIN = fileURLToPath(new URL('../../dist/services/placement/app/src/main.js', import.meta.url));
const BEAT_MS = 500;
const TRIES = 200;

export interface PlacementProcess {
  /** Where its rows are. */
  readonly db: Db;
  readonly scheduler: Remote<typeof placementV1.SchedulerService>;
  /** Asks it over HTTP as an administrator; of its newest version. */
  get(path: string): Promise<Response>;
  /** Milliseconds of CPU that it has used, of ticks of 10. */
  cpu(): number;
  /** The same of the database's processes for it; undefined where they are on another machine. */
  databaseCpu(): Promise<number | undefined>;
  stop(): Promise<void>;
}

/** Starts it; `flags` are node's, such as `--cpu-prof`. */
export async function startPlacement(flags: readonly string[] = []): Promise<PlacementProcess> {
  const certificates = makeCertificates(['placement', 'compute', 'identity']);
  const tokens = new TestTokens();
  const scratch = await scratchDatabase([], { poolSize: 2 });
  const { db } = scratch;
  const [http, grpc, feed] = [await freePort(), await freePort(), await freePort()];
  const stopFeed = await serveFeed(tokens, certificates, feed);
  const config = join(certificates.folder, 'placement.json');
  const peers = { identity: [`127.0.0.1:${feed}`] };
  const service = { process: 'placement', service: 'placement', publicUrl: 'http://bench', region: 'R', peers };
  const listens = { http: { host: '127.0.0.1', port: http }, grpc: { host: '127.0.0.1', port: grpc } };
  const rest = { database: scratch.url, stateDir: certificates.folder, logLevel: 'error' };
  const written = { ...service, ...listens, ...rest, tls: certificates.of('placement') };
  writeFileSync(config, JSON.stringify(written), { mode: 0o600 });
  const env = { ...process.env, YAGURA_CONFIG: config };
  const child = spawn(process.execPath, [...flags, MAIN], { env, stdio: 'inherit' });
  process.on('exit', () => child.kill());
  const scheduler = connectGrpc(
    placementV1.SchedulerService,
    [`127.0.0.1:${grpc}`],
    'placement',
    certificates.of('compute'),
  );
  await untilAnswered(() => scheduler.allocations({ consumerIds: [randomUUID()] }));
  const headers = {
    'x-auth-token': tokens.of({ user: 'u', project: 'p', roles: ['admin'] }),
    'openstack-api-version': 'placement latest',
  };
  const stop = async () => {
    await ended(child);
    await stopFeed();
    tokens.close();
    await scratch.drop();
    certificates.remove();
  };
  return {
    ...{ db, scheduler, stop },
    get: (path) => fetch(`http://127.0.0.1:${http}${path}`, { headers }),
    cpu: () => cpuOf(read(`/proc/${child.pid}/stat`)),
    databaseCpu: () => databaseCpu(db),
  };
}

/** Identity, as far as a process that checks tokens needs it: keys, and a sign of life. */
function serveFeed(tokens: TestTokens, certificates: Certificates, port: number): Promise<() => Promise<void>> {
  const log = openLog('bench', 'silent');
  const follow: Parameters<typeof bind<typeof identityV1.FeedService>>[1]['follow'] = async (_, _peer, emit, gone) => {
    emit({ event: { $case: 'keys', value: { keys: [tokens.key] } } });
    while (!gone.aborted) {
      emit({ event: { $case: 'beat', value: { seq: 0, nowMs: Date.now() } } });
      await sleep(BEAT_MS, undefined, { ref: false });
    }
  };
  const tls = certificates.of('identity');
  return serveGrpc({ host: '127.0.0.1', port, tls, log }, [bind(identityV1.FeedService, { follow }, () => true, log)]);
}

async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (tries > TRIES) throw error;
      await sleep(100);
    }
  }
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill();
  });

async function databaseCpu(db: Db): Promise<number | undefined> {
  const row = await db.one<{ name: string }>('select current_database() as name');
  const stats = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && read(`/proc/${pid}/cmdline`).includes(` ${row?.name} `))
    .map((pid) => read(`/proc/${pid}/stat`));
  return stats.length ? stats.reduce((sum, stat) => sum + cpuOf(stat), 0) : undefined;
}

function cpuOf(stat: string): number {
  const fields = stat.replace(/^.*\) /s, '').split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The value that so great a part of the sorted values does not exceed, in words. */
export const quantile = (sorted: readonly number[], part: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1);
