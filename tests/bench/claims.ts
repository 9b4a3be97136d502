/**
 * Selection and claim over a simulated cloud: how many a second, at what cost, and whether any node was oversubscribed. The
 * claims come over gRPC as from compute, several at a time. `placement-process.ts` says what it needs.
 * Use: node --import ./libs/testing/run-source.mjs tests/bench/claims.ts [NODES] [SECONDS] [AT ONCE] [GROUPS]    (GROUPS: every second server is of one of so many)
 */
import { randomUUID } from 'node:crypto';
import { loadavg } from 'node:os';
import { placementV1 } from '#libs/contract';
import { quantile, startPlacement } from './placement-process.js';

const [nodes = 10_000, seconds = 20, atOnce = 16, groups = 0] = process.argv.slice(2).map(Number);
const CPUS = 64;

const placement = await startPlacement();
const { db, scheduler } = placement;

const inventory = (total: number) => ({
  ...{ total, reserved: 0, min_unit: 1, max_unit: total, step_size: 1, allocation_ratio: 1 },
});
const inventories = { VCPU: inventory(CPUS), MEMORY_MB: inventory(262_144), DISK_GB: inventory(4_000) };
await db.exec(
  `insert into provider (id, name, root_id, inventories, traits, zone, is_node)
     select id, 'sim-' || n, id, $2, '{COMPUTE_NODE,COMPUTE_IMAGE_TYPE_QCOW2}', 'nova', true
       from (select gen_random_uuid() as id, n from generate_series(1, $1::int) as n) as made`,
  [nodes, JSON.stringify(inventories)],
);
await db.exec('analyze provider');

const groupIds = Array.from({ length: groups }, () => randomUUID());

const times: number[] = [];
let refused = 0;
async function claim(index: number): Promise<void> {
  const grouped = groups > 0 && index % 2 === 0;
  const begun = performance.now();
  const asked = { VCPU: 1 + (index % 4), MEMORY_MB: 2_048, DISK_GB: 20 };
  const answer = await scheduler.claim(
    placementV1.ClaimRequest.fromPartial({
      ...{ consumerId: randomUUID(), fence: 1, seq: 1, projectId: 'p', userId: 'u', availabilityZone: 'nova' },
      resources: Object.entries(asked).map(([resourceClass, amount]) => ({ resourceClass, amount })),
      ...(grouped ? { group: { id: groupIds[index % groups]!, policy: 'anti-affinity', maxPerHost: 1 } } : {}),
    }),
  );
  times.push(performance.now() - begun);
  if (!answer.claimed) refused += 1;
}

await Promise.all(Array.from({ length: atOnce }, (_, i) => claim(i)));
times.length = 0;
const databaseBefore = await placement.databaseCpu();
const load = loadavg()[0]!;
const serviceBefore = placement.cpu();
const begun = performance.now();
let index = 0;
const claimer = async (): Promise<void> => {
  while (performance.now() - begun < seconds * 1_000) await claim(++index);
};
await Promise.all(Array.from({ length: atOnce }, claimer));
const took = performance.now() - begun;
const serviceMs = placement.cpu() - serviceBefore;
const databaseAfter = await placement.databaseCpu();

const [over] = await db.query<{ count: number }>(
  `select count(*) as count from provider p where not placement_fits(p.inventories, p.used, '{}')
      or exists (select from jsonb_each_text(p.used) u (class, units)
                  where u.units::bigint > (p.inventories -> u.class ->> 'total')::bigint)`,
);
const [broken] = await db.query<{ count: number }>(
  `select count(*) as count from (select from consumer c join allocation a on a.consumer_id = c.id and a.class = 'VCPU'
     where c.group_id is not null group by c.group_id, a.provider_id having count(*) > 1) as twice`,
);
const mismatches = await db.query(
  `select p.id from provider p left join (
      select provider_id, jsonb_object_agg(class, units) as held
        from (select provider_id, class, sum(amount)::bigint as units from allocation group by 1, 2) a group by 1) s
    on s.provider_id = p.id where p.used <> coalesce(s.held, '{}')`,
);
times.sort((a, b) => a - b);
const perRow = (ms: number): string => (ms / times.length).toFixed(2);
const ofDatabase =
  databaseBefore === undefined || databaseAfter === undefined
    ? ''
    : `, ${perRow(databaseAfter - databaseBefore)} ms of the database's`;
process.stdout.write(
  `${[
    `${nodes} nodes, ${atOnce} at once, load average ${load.toFixed(1)} before`,
    `${Math.round((times.length * 1_000) / took)} claims a second (${times.length} in ${(took / 1_000).toFixed(1)} s, ${refused} refused)`,
    `p50 ${quantile(times, 0.5)} ms, p99 ${quantile(times, 0.99)} ms; ${perRow(serviceMs)} ms of placement's CPU a claim${ofDatabase}`,
    `${over?.count} nodes oversubscribed, ${mismatches.length} sums wrong, ${broken?.count} groups broken`,
  ].join('\n')}\n`,
);
await placement.stop();
process.exit(over?.count || mismatches.length || broken?.count ? 1 : 0);
