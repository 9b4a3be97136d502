/**
 * Networks, ports, groups and routers made and taken away while the network service, OVN's databases, northd and the
 * switches of a node are killed at random. Afterwards: nothing waits to be brought into OVN, the auditor finds nothing on
 * either side, and when all is deleted nothing of it is left in the books or in OVN.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { delay } from '#libs/kernel';
import { findings, STATE, until, yagura } from '../e2e/client.js';
import { login, loginTo } from '../runner/cloud-client.js';
import { type OwnProject, ownProject } from '../runner/project.js';
import { type Fault, rage, seeded, stillDown } from './faults.js';
import { type Tenant, tenant } from './tenant.js';

const LIVES = Number(process.env['YAGURA_CHAOS_NETWORKS'] ?? '40');
const SEED = Number(process.env['YAGURA_CHAOS_SEED'] ?? Date.now() % 1_000_000);
const KILL_EVERY_MS = 2_000;
/** Each of them once at the least. */
const VICTIMS = [
  ...['network', 'ovn-nb', 'ovn-sb', 'ovn-northd', 'postgresql'].map((name) => `controller.${name}`),
  ...['ovn-controller', 'ovs-vswitchd', 'ovsdb', 'agent'].map((name) => `node-1.${name}`),
];
const PATIENCE_MS = 120_000;
const SETTLED_WITHIN_MS = 60_000;

interface Row {
  readonly id: string;
}

let project: OwnProject;
let user: Tenant;
let external: string | undefined;

beforeAll(async () => {
  const admin = await loginTo(STATE, 'yagura-admin');
  project = await ownProject(admin, `chaos-network-${SEED}`);
  user = await tenant(() => login(project.login), PATIENCE_MS);
  const found = await user.call<{ networks: Row[] }>('GET', 'network', '/v2.0/networks?router:external=True');
  external = found.body.networks[0]?.id;
});
afterAll(() => project.remove());

/** The id of what was made, or found to be there already by an earlier try whose answer was lost. */
async function make(collection: string, one: string, body: object): Promise<string> {
  const answer = await user.call<Record<string, Row>>('POST', 'network', `/v2.0/${collection}`, { [one]: body });
  const id = answer.body[one]?.id;
  if (id === undefined) throw new Error(`POST ${collection} ${answer.status}: ${JSON.stringify(answer.body)}`);
  return id;
}

const put = (path: string, body: object) => user.call('PUT', 'network', `/v2.0/${path}`, body);
const remove = (path: string) => user.call('DELETE', 'network', `/v2.0/${path}`);

/** One tenant's worth of network: made, changed, and mostly taken away again, sometimes at once. */
async function live(index: number, random: () => number): Promise<void> {
  const network_id = await make('networks', 'network', { name: `chaos-${index}` });
  const cidr = `10.${index % 250}.0.0/24`;
  const subnet_id = await make('subnets', 'subnet', { network_id, ip_version: 4, cidr });
  const group = await make('security-groups', 'security_group', { name: `chaos-${index}` });
  const rule = { security_group_id: group, direction: 'ingress', protocol: 'tcp', remote_group_id: group };
  await make('security-group-rules', 'security_group_rule', rule);
  const gateway = external === undefined ? {} : { external_gateway_info: { network_id: external } };
  const router = await make('routers', 'router', { name: `chaos-${index}`, ...gateway });
  await put(`routers/${router}/add_router_interface`, { subnet_id });
  const ports: string[] = [];
  for (let count = 0; count < 3; count++) {
    const groups = random() < 0.5 ? { security_groups: [group] } : {};
    ports.push(await make('ports', 'port', { network_id, ...groups }));
  }
  let floating: string | undefined;
  if (external !== undefined) {
    floating = await make('floatingips', 'floatingip', { floating_network_id: external });
    await put(`floatingips/${floating}`, { floatingip: { port_id: ports[0] } });
  }
  await put(`ports/${ports[1]}`, { port: { security_groups: [group], name: 'renamed' } });
  await put(`networks/${network_id}`, { network: { mtu: 1300 } });
  await delay(random() * 1_000);
  if (random() < 0.3) return;
  if (floating !== undefined) await remove(`floatingips/${floating}`);
  for (const port of ports) await remove(`ports/${port}`);
  await put(`routers/${router}/remove_router_interface`, { subnet_id });
  await remove(`routers/${router}`);
  await remove(`networks/${network_id}`);
  await remove(`security-groups/${group}`);
}

async function liveAll(random: () => number, faults: readonly Fault[]): Promise<string[]> {
  const failures: string[] = [];
  const kills = VICTIMS.length + 2;
  let next = 0;
  const worker = async () => {
    while (next < LIVES) {
      const index = next++;
      while (faults.length < Math.floor((index / LIVES) * kills)) await delay(100);
      await live(index, random).catch((error: unknown) => failures.push(String(error)));
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  return failures;
}

const settled = async (): Promise<boolean> =>
  /changes on their way into ovn.*\b0 waiting, 0 refused/.test((await yagura('status')).output);

async function listed(collection: string): Promise<(Row & { readonly name?: string })[]> {
  const path = `/v2.0/${collection}?project_id=${project.id}`;
  const { body } = await user.call<Record<string, (Row & { name?: string })[]>>('GET', 'network', path);
  return body[collection.replaceAll('-', '_')] ?? [];
}

/** Takes away whatever the project has, in the order in which it lets go. */
async function clear(): Promise<void> {
  for (const { id } of await listed('floatingips')) await remove(`floatingips/${id}`);
  for (const { id } of await listed('routers')) {
    const ports = await user.call<{ ports: (Row & { fixed_ips: { subnet_id: string }[] })[] }>(
      'GET',
      'network',
      `/v2.0/ports?device_id=${id}&device_owner=network:router_interface`,
    );
    for (const port of ports.body.ports) await put(`routers/${id}/remove_router_interface`, { port_id: port.id });
    await remove(`routers/${id}`);
  }
  for (const { id } of await listed('ports')) await remove(`ports/${id}`);
  for (const { id } of await listed('networks')) await remove(`networks/${id}`);
  for (const { id, name } of await listed('security-groups'))
    if (name !== 'default') await remove(`security-groups/${id}`);
}

it(`keeps ${LIVES} tenants' networks whole under kills (seed ${SEED})`, async () => {
  const stop = new AbortController();
  const faults: Fault[] = [];
  const rampage = { victims: VICTIMS, everyMs: KILL_EVERY_MS, random: seeded(SEED + 1), faults, stop: stop.signal };
  const living = liveAll(seeded(SEED), faults).finally(() => stop.abort());
  const [refused] = await Promise.all([living, rage(STATE, rampage)]);
  console.log(`${LIVES} networks, ${faults.length} kills: ${faults.map((fault) => fault.process).join(' ')}`);

  expect.soft(refused).toEqual([]);
  expect.soft(user.inexcusable).toEqual([]);
  await until(
    'what was killed to be back',
    async () => stillDown(STATE, VICTIMS, faults),
    (names) => !names.length,
    SETTLED_WITHIN_MS,
    500,
  );
  const since = faults.at(-1)?.at ?? Date.now();
  await until('everything to be in OVN', settled, (is) => is, SETTLED_WITHIN_MS, 500);
  console.log(`all of it in OVN ${Date.now() - since} ms after the last kill`);
  expect(await until('the auditor to be satisfied', findings, (found) => !found.length, 30_000, 3_000)).toEqual([]);

  await clear();
  for (const collection of ['floatingips', 'routers', 'ports', 'subnets', 'networks']) {
    expect(await listed(collection), collection).toEqual([]);
  }
  await until('the removals to be in OVN', settled, (is) => is, SETTLED_WITHIN_MS, 500);
  expect(await findings()).toEqual([]);
});
