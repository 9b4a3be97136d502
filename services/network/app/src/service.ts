/** The network service, put together: what `main` starts, and what tests start on scratch stores. */
import { randomInt } from 'node:crypto';
import { computeServersV1, restBinding } from '#libs/contract';
import { type Clock, type Ids, randomIds, systemClock } from '#libs/kernel';
import { productVersion, type ServiceConfig, validated } from '#libs/platform/config';
import { type Db, openDb } from '#libs/platform/db';
import { connectGrpc, serveGrpc } from '#libs/platform/grpc';
import { serveHttp } from '#libs/platform/http';
import { Gauge, type Log, metrics } from '#libs/platform/log';
import type { TokenVerifier } from '#libs/platform/policy';
import { neutronDialect } from '#libs/wire';
import {
  NetworkOptions,
  NetworkParts,
  networkApiOps,
  networkModule,
  networkRules,
  withoutSuffix,
} from '#services/network/api';
import { forgetEvents, NetworkBooks, networkMigrations } from '#services/network/data';
import { macFrom } from '#services/network/domain';
import {
  groupsBinding,
  operatorBinding,
  portsBinding,
  type Reconciler,
  ServerNewsRelay,
} from '#services/network/worker';
import { followOvn } from './follow-ovn.js';

export interface ServiceDeps {
  readonly config: ServiceConfig;
  readonly verifier: TokenVerifier;
  readonly log: Log;
  readonly clock?: Clock;
  readonly ids?: Ids;
}

export interface RunningService {
  readonly db: Db;
  readonly books: NetworkBooks;
  readonly reconciler: Reconciler;
  stop(): Promise<void>;
}

const EVENTS_KEPT_MS = 14 * 24 * 3_600_000;
const HOUR_MS = 3_600_000;

const newMac = (): string => macFrom(randomInt(2 ** 24));

/** Starts everything; resolves when both ports are open. */
export async function startService(deps: ServiceDeps): Promise<RunningService> {
  const { config, verifier, log, clock = systemClock, ids = randomIds } = deps;
  const startedAt = clock.now();
  const options = validated(NetworkOptions, config.options ?? {}, 'options');
  const db = await openDb({
    url: config.database,
    applicationName: config.process,
    migrationSets: [networkMigrations],
    log,
  });
  const books = new NetworkBooks(db, { limits: options.quotas, newMac, newId: () => ids.uuid() });
  const ovn = await followOvn(options, books, { clock, ids, log });
  watchPending(books);
  const settings = { mtu: options.mtu, physicalNetworks: options.physicalNetworks };
  const parts = new NetworkParts(books, clock, ids, settings, newMac, ovn.chassis, ovn.forgetChassis);
  const app = await serveHttp(networkModule(parts), {
    ...config.http,
    ops: networkApiOps,
    rules: networkRules,
    dialect: neutronDialect,
    verifier,
    publicBase: `${config.publicUrl}/network`,
    rewriteUrl: withoutSuffix,
    log,
    health: async () => ({
      database: await db.one('select 1').then(
        () => true,
        () => false,
      ),
      tokens: verifier.fresh,
      ovn: ovn.reconciler.problem === '',
    }),
  });
  const about = { process: config.process, version: productVersion(), startedAt, tokensFresh: () => verifier.fresh };
  const stopGrpc = await serveGrpc({ ...config.grpc, tls: config.tls, log }, [
    portsBinding({ books, clock, log, defaultDns: options.dnsServers, mtu: options.mtu }),
    groupsBinding(books, log),
    restBinding(app, log),
    operatorBinding({ books, client: ovn.client, reconciler: ovn.reconciler, clock, log, ...about }),
  ]);
  const stopTelling = await tellCompute(config, books, log);
  const forgetting = setInterval(() => {
    forgetEvents(db, new Date(clock.now().getTime() - EVENTS_KEPT_MS)).catch((err: unknown) =>
      log.warn({ err }, 'old events could not be forgotten'),
    );
  }, HOUR_MS);
  const stop = async (): Promise<void> => {
    clearInterval(forgetting);
    await app.close();
    await stopTelling();
    await stopGrpc();
    await ovn.stop();
    await db.close();
  };
  return { db, books, reconciler: ovn.reconciler, stop };
}

/** Where this cloud has a compute service, it hears of changed ports. */
async function tellCompute({ peers, tls }: ServiceConfig, books: NetworkBooks, log: Log): Promise<() => Promise<void>> {
  const addresses = peers['compute'] ?? [];
  if (addresses.length === 0) return async () => undefined;
  const compute = connectGrpc(computeServersV1.ServersService, addresses, 'compute', tls);
  const relay = new ServerNewsRelay(books, compute, log);
  await relay.start();
  return async () => {
    await relay.stop();
    compute.close();
  };
}

function watchPending(books: NetworkBooks): void {
  metrics.removeSingleMetric('network_ovn_pending');
  new Gauge({
    name: 'network_ovn_pending',
    help: 'Changes that OVN has yet to learn',
    registers: [metrics],
    async collect() {
      this.set((await books.dirty.pending(books.db).catch(() => [])).length);
    },
  });
}
