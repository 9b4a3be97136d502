/** What projects have used within a period, from the times at which servers were launched and terminated. */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Call, type Op, op } from '#libs/platform/http';
import { PROJECT_READER, rule } from '#libs/platform/policy';
import { during, nextLinks, nextPageUrl } from '#libs/wire';
import { type RanServer, ranServers, serverExists } from '#services/compute/data';
import { Books, Surroundings } from '../books.js';
import { admin } from '../compute.rules.js';
import { last, looseQuery, pageOf, pageSize } from '../paging.wire.js';
import { isoNaive, timeOf, truthOf } from '../values.wire.js';

const HOUR_MS = 3_600_000;
const DEFAULT_PERIOD_MS = 28 * 24 * HOUR_MS;

interface Period {
  readonly start: Date;
  readonly end: Date;
}

@Injectable()
export class UsageHandlers {
  constructor(
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  now(): Date {
    return this.around.clock.now();
  }

  /** Throws `invalid` for a marker that is no server. */
  async ran(
    period: Period,
    projectId: string | undefined,
    marker: string | undefined,
    limit: number,
  ): Promise<RanServer[]> {
    if (marker !== undefined && !(await serverExists(this.books.db, marker, 'any')))
      throw fail.invalid(`marker [${marker.slice(0, 64)}] not found`);
    return ranServers(this.books.db, { ...period, projectId, marker, limit });
  }
}

const texts = Type.Optional(Type.Array(Type.String({ maxLength: 64 })));
const usageQuery = looseQuery({
  start: texts,
  end: texts,
  detailed: texts,
  limit: Type.Optional(Type.Integer({ minimum: 0, ...during({ since: '2.40' }) })),
  marker: Type.Optional(Type.String({ maxLength: 255, ...during({ since: '2.40' }) })),
});
type UsageCall = Call<undefined, NonNullable<(typeof usageQuery)['static']>>;

function periodOf(call: UsageCall, now: Date): Period {
  const [from, to] = [last(call.query.start), last(call.query.end)];
  const end = to === undefined ? now : timeOf(to, 'end');
  const start = from === undefined ? new Date(end.getTime() - DEFAULT_PERIOD_MS) : timeOf(from, 'start');
  if (start >= end) throw fail.invalid('Invalid start time. The start time cannot occur after the end time.');
  return { start, end };
}

/** Hours within the period; nothing counts that lies in the future. */
function hoursOf(server: RanServer, { start, end }: Period, now: Date): number {
  const from = Math.max(server.launchedAt.getTime(), start.getTime());
  const to = Math.min((server.terminatedAt ?? end).getTime(), end.getTime(), now.getTime());
  return Math.max(0, to - from) / HOUR_MS;
}

const diskOf = ({ flavor }: RanServer): number => flavor.diskGb + flavor.ephemeralGb;

const serverUsage = (server: RanServer, period: Period, now: Date) => ({
  instance_id: server.id,
  name: server.name,
  tenant_id: server.projectId,
  flavor: server.flavor.name,
  vcpus: server.flavor.vcpus,
  memory_mb: server.flavor.memoryMb,
  local_gb: diskOf(server),
  hours: hoursOf(server, period, now),
  started_at: isoNaive(server.launchedAt),
  ended_at: server.terminatedAt === null ? null : isoNaive(server.terminatedAt),
  state: server.terminatedAt === null ? server.vmState : 'terminated',
  uptime: Math.floor(Math.max(0, (server.terminatedAt ?? now).getTime() - server.launchedAt.getTime()) / 1_000),
});

function projectUsage(servers: readonly RanServer[], period: Period, now: Date, detailed: boolean) {
  const total = (amount: (server: RanServer) => number): number =>
    servers.reduce((sum, server) => sum + amount(server) * hoursOf(server, period, now), 0);
  return {
    tenant_id: servers[0]!.projectId,
    start: isoNaive(period.start),
    stop: isoNaive(period.end),
    total_hours: total(() => 1),
    total_vcpus_usage: total((server) => server.flavor.vcpus),
    total_memory_mb_usage: total((server) => server.flavor.memoryMb),
    total_local_gb_usage: total(diskOf),
    ...(detailed ? { server_usages: servers.map((server) => serverUsage(server, period, now)) } : {}),
  };
}

function links(call: UsageCall, name: string, page: readonly RanServer[], more: boolean): Record<string, unknown> {
  const final = page.at(-1);
  const next = nextLinks(more && final ? nextPageUrl(call.base, call.url, final.id) : undefined);
  return next ? { [name]: next } : {};
}

export const usageOps: readonly Op[] = [
  op(UsageHandlers, {
    method: 'GET',
    path: '/v2.1/os-simple-tenant-usage',
    rule: admin('os-simple-tenant-usage:list'),
    status: 200,
    query: usageQuery,
    run: async (handlers, call) => {
      // With the slash it is the usage of a project whose id is missing.
      if (call.url.split('?')[0]?.endsWith('/')) throw fail.notFound('The resource could not be found.');
      const now = handlers.now();
      const period = periodOf(call, now);
      const limit = pageSize(call.query.limit);
      const { page, more } = pageOf(await handlers.ran(period, undefined, call.query.marker, limit), limit);
      const detailed = truthOf(last(call.query.detailed) ?? '0') ?? false;
      const tenant_usages = [...Map.groupBy(page, (server) => server.projectId).values()].map((servers) =>
        projectUsage(servers, period, now, detailed),
      );
      return { body: { tenant_usages, ...links(call, 'tenant_usages_links', page, more) } };
    },
  }),
  op(UsageHandlers, {
    method: 'GET',
    path: '/v2.1/os-simple-tenant-usage/:id',
    rule: rule('os_compute_api:os-simple-tenant-usage:show', PROJECT_READER),
    status: 200,
    query: usageQuery,
    load: async (_handlers, call) => ({ projectId: call.params['id'] ?? '' }),
    shared: () => true,
    run: async (handlers, call, { projectId }) => {
      const now = handlers.now();
      const period = periodOf(call, now);
      const limit = pageSize(call.query.limit);
      const { page, more } = pageOf(await handlers.ran(period, projectId, call.query.marker, limit), limit);
      const tenant_usage = page.length ? projectUsage(page, period, now, true) : {};
      return { body: { tenant_usage, ...links(call, 'tenant_usage_links', page, more) } };
    },
  }),
];
