/**
 * Selection and claim over a simulated cloud: how many a second, at what cost, and whether any node was oversubscribed. The
 * placement service runs as a process of its own on a database of its own, whose nodes are rows; the claims come over gRPC as
 * from compute, several at a time. Needs a built checkout, openssl, and YAGURA_TEST_PG, the URL of a PostgreSQL server whose
 * user may create databases.
 * Use: node tests/bench/claims.ts [NODES] [SECONDS] [AT ONCE] [GROUPS]    (GROUPS: every second server is of one of so many)
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { placementV1 } from '#libs/contract';
import { connectGrpc } from '#libs/platform/grpc';
import { scratchDatabase } from '#libs/testing';

const [nodes = 10_000, seconds = 20, atOnce = 16, groups = 0] = process.argv.slice(2).map(Number);
const CPUS = 64;
const MAIN = fileURLToPath(new URL('../../dist/services/placement/app/src/main.js', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'yagura-bench-'));
const ssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
ssl('req', '-x509', ...fresh, '-days', '2', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.crt');
function tls(name: string): { ca: string; cert: string; key: string } {
  ssl('req', ...fresh, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  writeFileSync(join(folder, `${name}.ext`), `subjectAltName=DNS:${name}\n`);
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
  ssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.crt`);
  const [ca, cert, key] = ['ca.crt', `${name}.crt`, `${name}.key`].map((file) => join(folder, file));
  return { ca: ca!, cert: cert!, key: key! };
}
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

const scratch = await scratchDatabase([], { poolSize: 2 });
const { db } = scratch;
const [http, grpc] = [await freePort(), await freePort()];
const config = join(folder, 'placement.json');
const service = { process: 'placement', service: 'placement', publicUrl: 'http://bench', region: 'R', peers: {} };
const listens = { http: { host: '127.0.0.1', port: http }, grpc: { host: '127.0.0.1', port: grpc } };
const rest = { tls: tls('placement'), database: scratch.url, stateDir: folder, logLevel: 'error' };
writeFileSync(config, JSON.stringify({ ...service, ...listens, ...rest }), { mode: 0o600 });
const child = spawn(process.execPath, [MAIN], { env: { ...process.env, YAGURA_CONFIG: config }, stdio: 'inherit' });
process.on('exit', () => child.kill());
const scheduler = connectGrpc(placementV1.SchedulerService, [`127.0.0.1:${grpc}`], 'placement', tls('compute'));
for (let tries = 0; ; tries += 1) {
  try {
    await scheduler.allocations({ consumerIds: [randomUUID()] });
    break;
  } catch (error) {
    if (tries > 200) throw error;
    await sleep(100);
  }
}

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

/** Milliseconds of CPU that the database's processes for us have used; undefined where they are on another machine. */
async function databaseCpu(): Promise<number | undefined> {
  const row = await db.one<{ name: string }>('select current_database() as name');
  const stats = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && read(`/proc/${pid}/cmdline`).includes(` ${row?.name} `))
    .map((pid) => read(`/proc/${pid}/stat`));
  return stats.length ? stats.reduce((sum, stat) => sum + cpuOf(stat), 0) : undefined;
}

/** Milliseconds, of ticks of 10. */
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
const databaseBefore = await databaseCpu();
const load = loadavg()[0]!;
const serviceBefore = cpuOf(read(`/proc/${child.pid}/stat`));
const begun = performance.now();
let index = 0;
const claimer = async (): Promise<void> => {
  while (performance.now() - begun < seconds * 1_000) await claim(++index);
};
await Promise.all(Array.from({ length: atOnce }, claimer));
const took = performance.now() - begun;
const serviceMs = cpuOf(read(`/proc/${child.pid}/stat`)) - serviceBefore;
const databaseAfter = await databaseCpu();

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
const at = (part: number): string => (times[Math.floor(times.length * part)] ?? 0).toFixed(1);
const perRow = (ms: number): string => (ms / times.length).toFixed(2);
const ofDatabase =
  databaseBefore === undefined || databaseAfter === undefined
    ? ''
    : `, ${perRow(databaseAfter - databaseBefore)} ms of the database's`;
process.stdout.write(
  `${[
    `${nodes} nodes, ${atOnce} at once, load average ${load.toFixed(1)} before`,
    `${Math.round((times.length * 1_000) / took)} claims a second (${times.length} in ${(took / 1_000).toFixed(1)} s, ${refused} refused)`,
    `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ${perRow(serviceMs)} ms of placement's CPU a claim${ofDatabase}`,
    `${over?.count} nodes oversubscribed, ${mismatches.length} sums wrong, ${broken?.count} groups broken`,
  ].join('\n')}\n`,
);
await scratch.drop();
rmSync(folder, { recursive: true });
process.exit(over?.count || mismatches.length || broken?.count ? 1 : 0);
