/**
 * Many servers on simulated nodes, several POSTs at a time, until all are ACTIVE: how many a second, and what each costs the
 * whole cloud in CPU, process by process; then what it costs to list them all in detail. They are in a project of its own, which is removed at the end.
 * Use: node --import ./libs/testing/run-source.mjs tests/bench/boot-many.ts [STATE] [SERVERS] [AT ONCE] [ZONE]
 *   (ZONE `simulated` where the cloud has real nodes too)
 */
import { readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loginTo } from '../runner/cloud-client.js';
import { ownProject } from '../runner/project.js';

const [state = 'var', count = '200', lanes = '16', zone] = process.argv.slice(2);
const servers = Number(count);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Milliseconds of CPU so far by pid file, each with all processes below it. */
function cpuOfCloud(): Map<string, number> {
  const stats = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => [
        Number(pid),
        read(`/proc/${pid}/stat`)
          .replace(/^.*\) /s, '')
          .split(' '),
      ]),
  );
  const files = readdirSync(join(state, 'run')).filter((file) => file.endsWith('.pid'));
  const owners = new Map(
    files.map((file) => [Number.parseInt(read(join(state, 'run', file)), 10), file.replace(/\.pid$/, '')]),
  );
  const sums = new Map<string, number>();
  for (const [pid, fields] of stats) {
    let owner = owners.get(pid);
    for (let at = pid; owner === undefined && at > 1; owner = owners.get(at)) at = Number(stats.get(at)?.[1] ?? 0);
    if (owner !== undefined) sums.set(owner, (sums.get(owner) ?? 0) + 10 * (Number(fields[11]) + Number(fields[12])));
  }
  return sums;
}

const total = (cpu: ReadonlyMap<string, number>): number => [...cpu.values()].reduce((sum, ms) => sum + ms, 0);

interface Row {
  readonly id: string;
  readonly name: string;
}

const admin = await loginTo(state, 'yagura-admin');
const project = await ownProject(admin, `boot-many-${Date.now().toString(36)}`);
const tenant = project.session;
const [compute, image, network] = ['compute', 'image', 'network'].map((type) => tenant.endpoint(type));

async function named(url: string, collection: string, name: string): Promise<string> {
  const { body } = await tenant.call<Record<string, Row[]>>('GET', url);
  const row = body[collection]?.find((each) => each.name === name);
  if (!row) throw new Error(`no ${name} among the ${collection}`);
  return row.id;
}
async function made(url: string, one: string, body: object): Promise<string> {
  const answer = await tenant.call<Record<string, Row>>('POST', url, { [one]: body });
  const row = answer.body[one];
  if (!row) throw new Error(`POST ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return row.id;
}

async function inLanes(work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < servers) await work(next++);
  };
  await Promise.all(Array.from({ length: Number(lanes) }, lane));
}

async function statuses(): Promise<string[]> {
  const { body } = await tenant.call<{ servers: { status: string }[] }>('GET', `${compute}/servers/detail?limit=1000`);
  return body.servers.map(({ status }) => status);
}

const quota = { instances: servers, cores: servers * 2, ram: servers * 1024 };
await admin.call('PUT', `${admin.endpoint('compute')}/os-quota-sets/${tenant.projectId}`, { quota_set: quota });
const imageRef = await named(`${image}/v2/images`, 'images', 'tiny');
const flavorRef = await named(`${compute}/flavors`, 'flavors', 'm1.nano');
const networkId = await made(`${network}/v2.0/networks`, 'network', { name: 'boot-many' });
await made(`${network}/v2.0/subnets`, 'subnet', { network_id: networkId, ip_version: 4, cidr: '10.9.0.0/16' });

/** What it uses while nothing happens, in milliseconds of CPU a second. */
const IDLE_MS = 10_000;
const resting = total(cpuOfCloud());
await sleep(IDLE_MS);
const idle = ((total(cpuOfCloud()) - resting) * 1_000) / IDLE_MS;

const load = loadavg()[0]!;
const before = cpuOfCloud();
const begun = performance.now();
await inLanes(async (index) => {
  const networks = [{ uuid: networkId }];
  const body = { name: `many-${index}`, imageRef, flavorRef, networks, ...(zone ? { availability_zone: zone } : {}) };
  await made(`${compute}/servers`, 'server', body);
});
const posted = performance.now() - begun;
let states = await statuses();
while (states.some((status) => status === 'BUILD')) {
  await sleep(250);
  states = await statuses();
}
const took = performance.now() - begun;
const after = cpuOfCloud();
const active = states.filter((status) => status === 'ACTIVE').length;
const costs = [...after].map(([name, ms]) => [name, (ms - (before.get(name) ?? 0)) / servers] as const);
const sum = costs.reduce((all, [, ms]) => all + ms, 0);
const rest = (idle * took) / 1_000 / servers;
console.log(`${servers} servers, ${lanes} POSTs at once, load average ${load.toFixed(1)} before`);
console.log(
  `${active} ACTIVE after ${(took / 1_000).toFixed(1)} s (${((active * 1_000) / took).toFixed(1)} a second; all POSTs answered after ${(posted / 1_000).toFixed(1)} s)`,
);
console.log(
  `${sum.toFixed(1)} ms of the cloud's CPU each, of which ${rest.toFixed(1)} ms it uses in that time when nothing happens:`,
);
for (const [name, ms] of costs.sort((a, b) => b[1] - a[1]))
  if (ms >= 0.1) console.log(`${ms.toFixed(1).padStart(7)} ms  ${name}`);

const LISTS = 20;
const listing: number[] = [];
const listed = cpuOfCloud();
const listBegun = performance.now();
for (let i = 0; i < LISTS; i += 1) {
  const asked = performance.now();
  const { length } = await statuses();
  listing.push(performance.now() - asked);
  if (length !== servers) throw new Error(`${length} servers are listed of ${servers}`);
}
const listTook = performance.now() - listBegun;
const listCpu = total(cpuOfCloud()) - total(listed) - (idle * listTook) / 1_000;
listing.sort((a, b) => a - b);
console.log(
  `all in detail: ${(listCpu / LISTS).toFixed(1)} ms of the cloud's CPU beside what it uses anyway, p50 ${listing[LISTS / 2]!.toFixed(0)} ms`,
);

const { body: left } = await tenant.call<{ servers: Row[] }>('GET', `${compute}/servers?limit=1000`);
const ids = left.servers.map(({ id }) => id);
await inLanes(async (index) => {
  if (ids[index]) await tenant.call('DELETE', `${compute}/servers/${ids[index]}`);
});
while ((await statuses()).length) await sleep(500);
await tenant.call('DELETE', `${network}/v2.0/networks/${networkId}`);
await project.remove();
process.exit(active === servers ? 0 : 1);
