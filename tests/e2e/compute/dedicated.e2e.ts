/** Host processors that a node sets aside: each is one guest's alone, whatever dies, until the guest goes. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findings, STATE, until } from '../client.js';
import { Api } from '../network/lab/api.js';
import { Lab } from '../network/lab/lab.js';
import { killOnNode, mustOnNode } from '../network/lab/node.js';
import type { Server } from '../network/lab/resources.js';
import { Wishes } from './wishes.js';

const OWN = { 'hw:cpu_policy': 'dedicated' };

interface Inventories {
  readonly inventories: Readonly<Record<string, { readonly total: number }>>;
}

let lab: Lab;
let api: Api;
let wishes: Wishes;
/** Without guests, so that all of its processors can be set aside. */
let node: string;
let own: string;

/** As placement knows of them. */
async function dedicated(): Promise<number> {
  const place = <T>(path: string) => api.send<T>('placement', 'GET', `/resource_providers${path}`, undefined, 'admin');
  const { body } = await place<{ resource_providers: { uuid: string }[] }>(`?name=${node}`);
  const { inventories } = (await place<Inventories>(`/${body.resource_providers[0]?.uuid}/inventories`)).body;
  return inventories['PCPU']?.total ?? 0;
}

/** Configures the node's agent, and waits until placement knows. */
async function setAside(dedicatedCpus: string, count: number): Promise<void> {
  const path = join(STATE, 'config', node, 'agent.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as { options: object };
  writeFileSync(path, JSON.stringify({ ...config, options: { ...config.options, dedicatedCpus } }));
  await killOnNode(node, 'agent');
  await until('placement to know', dedicated, (now) => now === count, 60_000, 200);
}

beforeAll(async () => {
  lab = await Lab.open('dedicated', ['node-1']);
  api = await Api.open();
  wishes = await Wishes.open(lab, 'lab-dedicated');
  for (const one of await lab.nodes())
    if ((await mustOnNode(one, 'virsh', 'list', '--all', '--name')).trim() === '') node = one;
  expect(node).toBeDefined();
  lab.afterwards(() => setAside('', 0));
  await setAside('0-1', 2);
  own = await wishes.flavor(OWN);
});
afterAll(() => lab.close());

const guest = (): Promise<Server> => lab.server({ flavorRef: own, networks: 'none' });
/** Where the guest's processor and its emulator run. */
async function pins({ id }: Server): Promise<string[]> {
  const xml = await mustOnNode(node, 'virsh', 'dumpxml', id);
  return ['vcpupin vcpu=.0. ', 'emulatorpin '].map((tag) => new RegExp(`<${tag}cpuset='([^']*)'`).exec(xml)?.[1] ?? '');
}
const gone = async ({ id }: Server): Promise<void> => {
  await lab.compute('DELETE', `/servers/${id}`);
  const status = async () => (await api.send('compute', 'GET', `/servers/${id}`)).status;
  await until('the server to be gone', status, (code) => code === 404, 60_000, 100);
};

it('are given to one guest each, and never to a second', async () => {
  const [first, second] = await Promise.all([guest(), guest()]);
  const before = [await pins(first), await pins(second)];
  expect(before.map(([cpu]) => cpu).sort()).toEqual(['0', '1']);
  for (const [cpu, emulator] of before) expect(emulator).toBe(cpu);
  const tiny = (await lab.imageIds())('tiny');
  expect(await wishes.refusal(tiny, own)).toMatch(/lacks? 1 dedicated processor/);

  await killOnNode(node, 'agent');
  await lab.compute('POST', `/servers/${first.id}/action`, { reboot: { type: 'HARD' } });
  await becomes(first, 'ACTIVE');
  expect(await pins(first)).toEqual(before[0]);

  await gone(second);
  const third = await guest();
  expect(await pins(third)).toEqual(before[1]);
  await becomesOf(third, { shelve: null }, 'SHELVED_OFFLOADED');
  const fourth = await guest();
  expect(await pins(fourth)).toEqual(before[1]);
  await gone(fourth);
  await becomesOf(third, { unshelve: null }, 'ACTIVE');
  expect(await pins(third)).toEqual(before[1]);

  const ids = [first, third].map(({ id }) => id);
  expect((await findings()).filter(({ id }) => ids.includes(id))).toEqual([]);
});

async function becomes({ id }: Server, status: string): Promise<void> {
  const shown = async () => (await lab.compute<{ server: Server }>('GET', `/servers/${id}`)).server.status;
  await until(`server ${id} to be ${status}`, shown, (now) => now === status, 60_000, 100);
}
async function becomesOf(of: Server, action: object, status: string): Promise<void> {
  await lab.compute('POST', `/servers/${of.id}/action`, action);
  await becomes(of, status);
}
