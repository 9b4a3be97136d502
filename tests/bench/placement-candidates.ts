/**
 * Allocation candidates over large clouds: what a request costs placement's process, and how long it takes, one after the
 * other; also while providers change, and where nothing fits. `placement-process.ts` says what it needs.
 * Use: node --import ./libs/testing/run-source.mjs tests/bench/placement-candidates.ts [REQUESTS] [PROVIDERS]...    (default: 200 requests; 1001 and 10000)
 */
import { loadavg } from 'node:os';
import type { Db } from '#libs/platform/db';
import { type PlacementProcess, quantile, startPlacement } from './placement-process.js';

const [requests = 200, ...given] = process.argv.slice(2).map(Number);
const sizes = given.length ? given : [1_001, 10_000];

const inventory = (total: number) => ({
  ...{ total, reserved: 0, min_unit: 1, max_unit: total, step_size: 1, allocation_ratio: 1 },
});
const HOST = { VCPU: inventory(64), MEMORY_MB: inventory(262_144), DISK_GB: inventory(4_000) };
const HALF = { VCPU: inventory(32), MEMORY_MB: inventory(131_072) };
const CARD = { SRIOV_NET_VF: inventory(8) };

/** So many nodes that stand for themselves. */
const makePlain = (db: Db, count: number) =>
  db.exec(
    `insert into provider (id, name, root_id, inventories, traits, is_node)
       select id, 'sim-' || n, id, $2, '{COMPUTE_NODE,COMPUTE_IMAGE_TYPE_QCOW2}', true
         from (select gen_random_uuid() as id, n from generate_series(1, $1::int) as n) as made`,
    [count, JSON.stringify(HOST)],
  );

/** Trees of five: a root with the disk, two halves with processors, a network card below each. */
async function makeTrees(db: Db, count: number): Promise<void> {
  const roots = `select id, 'tree-' || n as name from (select gen_random_uuid() as id, n from generate_series(1, $1::int) as n) as made`;
  await db.exec(`insert into provider (id, name, root_id, inventories) select id, name, id, $2 from (${roots}) as r`, [
    ...[Math.ceil(count / 5), JSON.stringify({ DISK_GB: inventory(4_000) })],
  ]);
  const below = `insert into provider (id, name, parent_id, root_id, inventories, traits)
      select gen_random_uuid(), p.name || '/' || n, p.id, p.root_id, $1, $2 from provider p, generate_series(1, $3::int) as n`;
  await db.exec(`${below} where p.parent_id is null`, [JSON.stringify(HALF), ['HW_NUMA_ROOT'], 2]);
  await db.exec(`${below} where p.parent_id is not null`, [JSON.stringify(CARD), ['CUSTOM_FAST'], 1]);
  await db.exec(`insert into custom_trait (name) values ('CUSTOM_FAST') on conflict do nothing`);
}

const SERVER = 'resources=VCPU:2,MEMORY_MB:4096,DISK_GB:40';
const PLAIN: readonly (readonly [what: string, query: string])[] = [
  ['limit=100', `${SERVER}&limit=100`],
  ['limit=1000', `${SERVER}&limit=1000`],
  ['no limit', SERVER],
  ['nothing fits: more than any has', 'resources=VCPU:65,MEMORY_MB:4096,DISK_GB:40&limit=100'],
  ['nothing fits: a trait that none has', `${SERVER}&required=HW_CPU_X86_SGX&limit=100`],
  ['nothing fits: a class that none has', 'resources=VCPU:1,FPGA:1&limit=100'],
];
const PAIR =
  'resources_CPU=VCPU:2,MEMORY_MB:4096&resources_NIC=SRIOV_NET_VF:1&resources=DISK_GB:40&group_policy=isolate';
const TREES: readonly (readonly [what: string, query: string])[] = [
  ['limit=100', `${SERVER}&limit=100`],
  ['granular, limit=100', `${PAIR}&limit=100`],
  ['granular, same_subtree, limit=100', `${PAIR}&same_subtree=_CPU,_NIC&required_NIC=CUSTOM_FAST&limit=100`],
  ['nothing fits: more than any has', 'resources=VCPU:33&limit=100'],
  ['nothing fits: granular', `${PAIR}&required_CPU=CUSTOM_FAST&limit=100`],
];

/** One row of the result. `meanwhile` runs before each request and is not counted. */
async function measure(
  placement: PlacementProcess,
  [what, query]: readonly [string, string],
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const ask = async (): Promise<number> => {
    await meanwhile();
    const begun = performance.now();
    const answer = await placement.get(`/allocation_candidates?${query}`);
    const body = await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${answer.status} ${Buffer.from(body).toString()}`);
    return performance.now() - begun;
  };
  for (let i = 0; i < 20; i += 1) await ask();
  const load = loadavg()[0]!.toFixed(1);
  const before = placement.cpu();
  const times: number[] = [];
  for (let i = 0; i < requests; i += 1) times.push(await ask());
  const cpu = ((placement.cpu() - before) / requests).toFixed(2);
  times.sort((a, b) => a - b);
  const quantiles = `p50 ${quantile(times, 0.5)} ms, p99 ${quantile(times, 0.99)} ms`;
  process.stdout.write(`  ${what.padEnd(40)} ${cpu} ms CPU, ${quantiles} (load average ${load})\n`);
}

for (const size of sizes) {
  for (const [kind, make, rows] of [
    ['plain providers', makePlain, PLAIN],
    ['providers in trees of five', makeTrees, TREES],
  ] as const) {
    const placement = await startPlacement();
    const { db } = placement;
    await make(db, size);
    await db.exec('analyze provider');
    process.stdout.write(`${size} ${kind}\n`);
    for (const row of rows) await measure(placement, row);
    const change = `update provider set generation = generation + 1, changed = pg_current_xact_id()
      where id in (select id from provider limit 10)`;
    const [what, query] = rows[0]!;
    await measure(placement, [`${what}, ten change before each`, query], () => db.exec(change));
    await placement.stop();
  }
}
process.exit(0);
