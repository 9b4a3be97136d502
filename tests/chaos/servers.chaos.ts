/**
 * Creates, random actions and deletes on the simulated nodes while services, the broker and PostgreSQL are killed at
 * random. Afterwards: every server final within 60 s of the last fault, the auditor at zero, nothing oversubscribed, and
 * what is claimed, plugged and on a node is the same set of servers.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { delay } from '#libs/kernel';
import { findings, STATE, until } from '../e2e/client.js';
import { loginTo } from '../runner/cloud-client.js';
import { act, isFinal, type Listed, rested, type Things } from './actions.js';
import { holdings } from './books.js';
import { type Fault, rage, seeded, stillDown, VICTIMS } from './faults.js';
import { type Tenant, tenant } from './tenant.js';

const SERVERS = Number(process.env['YAGURA_CHAOS_SERVERS'] ?? '60');
const SEED = Number(process.env['YAGURA_CHAOS_SEED'] ?? Date.now() % 1_000_000);
/** 0: none at all, to see what is wrong without any. */
const KILL_EVERY_MS = Number(process.env['YAGURA_CHAOS_KILL_MS'] ?? '2500');
/** The work is spread over so many kills, be the machine ever so fast: every process dies under load at least once. */
const KILLS = KILL_EVERY_MS ? Math.max(VICTIMS.length, Math.ceil(SERVERS / 8)) : 0;
const FINAL_WITHIN_MS = 60_000;
/** So long a tenant repeats a request. */
const PATIENCE_MS = 120_000;
const PREFIX = `chaos-${SEED}`;

/** So many of the servers are acted upon, each at most so often. */
const ACTED = Number(process.env['YAGURA_CHAOS_ACTED'] ?? '0.3');
const ACTIONS_MOST = 5;
/** How long an action is mostly waited for before the next one. */
const REST_MS = 8_000;

let demo: Tenant;
let things: Things;
/** How often each action was asked for. */
const asked = new Map<string, number>();
/** Where the simulated nodes are: a zone of their own beside real ones, the default one without. */
let zone: { availability_zone?: string } = {};

const servers = async (): Promise<Listed[]> =>
  (await demo.call<{ servers: Listed[] }>('GET', 'compute', `/servers/detail?limit=1000&name=${PREFIX}`)).body
    .servers ?? [];

const images = async (): Promise<Listed[]> =>
  (await demo.call<{ images: Listed[] }>('GET', 'image', '/v2/images?limit=1000')).body.images ?? [];

interface Zones {
  readonly availabilityZoneInfo: readonly { readonly zoneName: string }[];
}

async function setQuota(limit: number): Promise<void> {
  const admin = await loginTo(STATE, 'yagura-admin');
  const compute = { quota_set: { instances: limit, cores: limit, ram: limit < 0 ? -1 : limit * 512 } };
  await admin.call('PUT', `${admin.endpoint('compute')}/os-quota-sets/${demo.projectId}`, compute);
  await admin.call('PUT', `${admin.endpoint('network')}/v2.0/quotas/${demo.projectId}`, { quota: { port: limit } });
}

beforeAll(async () => {
  demo = await tenant(() => loginTo(STATE, 'yagura-demo'), PATIENCE_MS);
  await setQuota(-1);
  const pick = (list: readonly Listed[] | undefined, name: string): string =>
    list?.find((item) => item.name === name)?.id ?? '';
  const image = pick(await images(), 'tiny');
  const { flavors } = (await demo.call<{ flavors: Listed[] }>('GET', 'compute', '/flavors')).body;
  const { networks } = (await demo.call<{ networks: Listed[] }>('GET', 'network', '/v2.0/networks')).body;
  const sizes = [pick(flavors, 'm1.nano'), pick(flavors, 'm1.micro')] as const;
  things = { image, network: pick(networks, 'demo'), flavors: sizes, prefix: PREFIX };
  const zones = (await demo.call<Zones>('GET', 'compute', '/os-availability-zone')).body.availabilityZoneInfo;
  if (zones.some((info) => info.zoneName === 'simulated')) zone = { availability_zone: 'simulated' };
});

afterAll(async () => {
  const admin = await loginTo(STATE, 'yagura-admin');
  await admin.call('DELETE', `${admin.endpoint('compute')}/os-quota-sets/${demo.projectId}`);
  await admin.call('DELETE', `${admin.endpoint('network')}/v2.0/quotas/${demo.projectId}`);
});

/** One tenant's worth of work: create, sometimes wait, sometimes act, mostly delete, sometimes in the midst of it all. */
async function live(index: number, random: () => number): Promise<void> {
  const body = {
    server: {
      name: `${PREFIX}-${index}`,
      imageRef: things.image,
      flavorRef: things.flavors[0],
      networks: [{ uuid: things.network }],
      ...zone,
    },
  };
  const made = await demo.call<{ server?: { id: string } }>('POST', 'compute', '/servers', body);
  const id = made.body.server?.id;
  if (!id) throw new Error(`create answered ${made.status}: ${JSON.stringify(made.body)}`);
  await delay(random() * 1_500);
  if (random() < ACTED) await useIt(id, random);
  if (random() < 0.8) await demo.call('DELETE', 'compute', `/servers/${id}`);
}

/** Mostly one thing after the other, sometimes one into the other. */
async function useIt(id: string, random: () => number): Promise<void> {
  const times = Math.ceil(random() * ACTIONS_MOST);
  for (let n = 0; n < times; n++) {
    const server = await rested(demo, id, random() < 0.8 ? REST_MS : 0);
    if (!server) return;
    const { name, wrong } = await act(demo, { server, things, random });
    asked.set(name, (asked.get(name) ?? 0) + 1);
    if (wrong) throw new Error(wrong);
  }
}

/** All of them, eight at a time, in step with the kills. */
async function liveAll(random: () => number, faults: readonly Fault[]): Promise<string[]> {
  const failures: string[] = [];
  let next = 0;
  const worker = async () => {
    while (next < SERVERS) {
      const index = next++;
      while (faults.length < Math.floor((index / SERVERS) * KILLS)) await delay(100);
      await live(index, random).catch((error: unknown) => failures.push(String(error)));
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return failures;
}

/** Waits until nothing is between two states; returns how long after the last fault that was. */
async function untilFinal(lastFault: number): Promise<number> {
  const unsettled = (list: readonly Listed[]) => list.filter((server) => !isFinal(server));
  const all = (list: readonly Listed[]) => unsettled(list).length === 0;
  await until('every server to be final', servers, all, FINAL_WITHIN_MS + 30_000, 500);
  return Date.now() - lastFault;
}

/** What has a place, a claim and a guest is one set of servers, those off their node keep ports, and no node is too full. */
async function expectOneSet(): Promise<void> {
  const { oversubscribed, placed, unplaced, claims, domains, ports } = await holdings(STATE);
  expect(oversubscribed).toEqual([]);
  expect(claims, 'claims').toEqual(placed);
  expect(domains, 'domains').toEqual(placed);
  expect(ports, 'ports').toEqual([...placed, ...unplaced].sort());
}

/** What the actions left in the image service. */
async function removeImages(): Promise<void> {
  for (const { id, name } of await images())
    if (name.startsWith(PREFIX)) await demo.call('DELETE', 'image', `/v2/images/${id}`);
}

function tell(faults: readonly Fault[], finalAfter: number): void {
  const killed = faults.map((fault) => fault.process.replace('controller.', '')).join(' ');
  const repeated = [...demo.repeated].map(([status, times]) => `${status || 'no answer'} ${times}x`).join(', ');
  console.log(`${SERVERS} servers, ${faults.length} kills (${killed}); final ${finalAfter} ms after the last`);
  const slowest = faults.reduce((most, { backAfterMs = 0 }) => Math.max(most, backAfterMs), 0);
  console.log(`slowest to come back: ${slowest} ms`);
  console.log(`requests repeated: ${repeated || 'none'}`);
  console.log(`actions: ${[...asked].map(([name, times]) => `${name} ${times}x`).join(', ')}`);
}

it(`survives the lives of ${SERVERS} servers under kills (seed ${SEED})`, async () => {
  const stop = new AbortController();
  const faults: Fault[] = [];
  const rampage = { victims: VICTIMS, everyMs: KILL_EVERY_MS, random: seeded(SEED + 1), faults, stop: stop.signal };
  const living = liveAll(seeded(SEED), faults).finally(() => stop.abort());
  const [refused] = await Promise.all([living, KILL_EVERY_MS ? rage(STATE, rampage) : undefined]);
  const finalAfter = await untilFinal(faults.at(-1)?.at ?? Date.now());
  tell(faults, finalAfter);

  expect.soft(refused).toEqual([]);
  expect.soft(demo.inexcusable).toEqual([]);
  expect.soft(faults.length).toBeGreaterThanOrEqual(KILLS && VICTIMS.length - 1);
  const down = async () => stillDown(STATE, VICTIMS, faults);
  await until('what was killed to be back', down, (names) => !names.length, FINAL_WITHIN_MS, 500);
  expect.soft(finalAfter).toBeLessThan(FINAL_WITHIN_MS);
  expect.soft((await servers()).filter((server) => server.status === 'ERROR')).toEqual([]);
  expect(await until('the auditor to be satisfied', findings, (found) => !found.length, 30_000, 3_000)).toEqual([]);
  await expectOneSet();
  await removeImages();

  for (const server of await servers())
    await demo.call('POST', 'compute', `/servers/${server.id}/action`, { unlock: null });
  for (const server of await servers()) await demo.call('DELETE', 'compute', `/servers/${server.id}`);
  await until('every server to be gone', servers, (list) => list.length === 0, FINAL_WITHIN_MS, 500);
  expect(await findings()).toEqual([]);
  await expectOneSet();
});
