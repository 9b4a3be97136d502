/** Where servers go, on real nodes: groups of servers, zones and nodes that are kept for others, and what is said of a refusal. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loginTo, type Session } from '../../runner/cloud-client.js';
import { findings, STATE, until, yagura } from '../client.js';

const NOBODY = '00000000-0000-4000-8000-000000000000';
const AT = { 'OpenStack-API-Version': 'compute 2.90' };

interface Listed {
  readonly id: string;
  readonly name: string;
}
interface Shown {
  readonly id: string;
  readonly status: string;
  readonly fault?: { readonly message: string };
  readonly [attribute: string]: unknown;
}

let demo: Session;
let admin: Session;
let nova: string;
let order: object;
let nodes: readonly string[];
const made: string[] = [];
const undo: (() => Promise<unknown>)[] = [];

const ask = async <T>(who: Session, method: string, path: string, body?: unknown): Promise<T> => {
  const answer = await who.call<T>(method, `${nova}${path}`, body, AT);
  expect([path, answer.status < 300, answer.status < 300 ? undefined : answer.body]).toEqual([path, true, undefined]);
  return answer.body;
};

beforeAll(async () => {
  [demo, admin] = [await loginTo(STATE, 'yagura-demo'), await loginTo(STATE, 'yagura-admin')];
  nova = demo.endpoint('compute');
  const { images } = (await demo.call<{ images: Listed[] }>('GET', `${demo.endpoint('image')}/v2/images`)).body;
  const { flavors } = await ask<{ flavors: Listed[] }>(demo, 'GET', '/flavors');
  const imageRef = images.find(({ name }) => name === 'tiny')?.id;
  const flavorRef = flavors.find(({ name }) => name === 'm1.nano')?.id;
  order = { imageRef, flavorRef, networks: 'none' };
  const { services } = await ask<{ services: { host: string; zone: string }[] }>(admin, 'GET', '/os-services');
  nodes = services.filter(({ zone }) => zone === 'nova').map(({ host }) => host);
});

afterAll(async () => {
  for (const id of made) await demo.call('DELETE', `${nova}/servers/${id}`, undefined, AT);
  for (const id of made)
    await until(
      'a server to go',
      () => demo.call('GET', `${nova}/servers/${id}`, undefined, AT),
      ({ status }) => status === 404,
    );
  for (const step of undo.reverse()) await step();
  expect(await findings()).toEqual([]);
});

async function create(name: string, more: object = {}, hints: object = {}): Promise<string> {
  const body = { server: { name, ...order, ...more }, 'os:scheduler_hints': hints };
  const { server } = await ask<{ server: Listed }>(demo, 'POST', '/servers', body);
  made.push(server.id);
  return server.id;
}

/** As an administrator sees it, once it stands or has failed. */
const settled = async (id: string): Promise<Shown> =>
  (
    await until(
      `server ${id} to settle`,
      () => ask<{ server: Shown }>(admin, 'GET', `/servers/${id}`),
      ({ server }) => server.status !== 'BUILD',
    )
  ).server;

it('keeps the servers of a group apart, made at once, and says why there is no place for one more', async () => {
  const group = { server_group: { name: 'apart', policy: 'anti-affinity' } };
  const { server_group: apart } = await ask<{ server_group: Listed }>(demo, 'POST', '/os-server-groups', group);
  undo.push(() => demo.call('DELETE', `${nova}/os-server-groups/${apart.id}`, undefined, AT));
  const wanted = Array.from({ length: nodes.length + 1 }, (_, index) =>
    create(`apart-${index}`, {}, { group: apart.id }),
  );
  const servers = await Promise.all((await Promise.all(wanted)).map(settled));
  const active = servers.filter(({ status }) => status === 'ACTIVE');
  const hosts = active.map((server) => String(server['OS-EXT-SRV-ATTR:host']));
  expect(hosts.sort()).toEqual([...nodes].sort());
  const [failed] = servers.filter(({ status }) => status === 'ERROR');
  // Only the first reason of the sentence says "nodes".
  const count = new RegExp(`\\b${nodes.length} (nodes? )?ha(s|ve) a server of its group already`);
  expect(failed?.fault?.message).toMatch(count);
  for (const node of nodes) expect(failed?.fault?.message).not.toContain(node);
  const { output } = await yagura('why', failed?.id ?? '');
  for (const node of nodes) expect(output).toContain(`${node}: has a server of its group already`);
});

it('finds a node by the zone of its aggregate, unless it is kept for others', async () => {
  const [node = ''] = nodes;
  const zone = `zone-${Date.now()}`;
  const { aggregate } = await ask<{ aggregate: { id: number } }>(admin, 'POST', '/os-aggregates', {
    aggregate: { name: zone, availability_zone: zone },
  });
  const path = `/os-aggregates/${aggregate.id}`;
  const act = (action: string, body: object) => ask(admin, 'POST', `${path}/action`, { [action]: body });
  undo.push(() => ask(admin, 'DELETE', path));
  await act('add_host', { host: node });
  undo.push(() => act('remove_host', { host: node }));
  const server = await settled(await create('here', { availability_zone: zone }));
  expect([server.status, server['OS-EXT-SRV-ATTR:host'], server['OS-EXT-AZ:availability_zone']]).toEqual([
    ...['ACTIVE', node, zone],
  ]);
  await act('set_metadata', { metadata: { filter_tenant_id: NOBODY } });
  const refused = await settled(await create('kept', { availability_zone: zone }));
  expect(refused.fault?.message).toMatch(/\b1 (node )?is reserved for other projects/);
});
