/** What happens to guests that count and write when their node loses them all, when states are set by hand, and on odd ways. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, until } from '../client.js';
import { Api } from '../network/lab/api.js';
import { Lab } from '../network/lab/lab.js';
import { scriptOnNode } from '../network/lab/node.js';
import type { Server } from '../network/lab/resources.js';
import { type Guest, Login } from './login.js';

const KEEP = '/home/tiny/keep';
/** As when its power fails, but for the kernel. */
const LOSS = 'kill -9 "$(cat /run/yagura/pid/agent)"; pkill -9 libvirtd; pkill -9 qemu-system';

let lab: Lab;
let api: Api;
let login: Login;
let guest: Guest;
let sum = '';

beforeAll(async () => {
  lab = await Lab.open('lifecycle', ['node-1']);
  api = await Api.open();
  login = await Login.open(lab, 'lab-lifecycle', '10.84.0.0/24');
  guest = await login.guest();
  sum = await login.inside(guest, `head -c 2000000 /dev/urandom > ${KEEP}; sync; sha256sum < ${KEEP}`);
});
afterAll(() => lab.close());

const boot = async (of: Guest): Promise<string> => {
  await login.answers(of);
  return login.inside(of, 'cat /proc/sys/kernel/random/boot_id');
};
const holds = async () => expect(await login.inside(guest, `sha256sum < ${KEEP}`)).toBe(sum);
const asked = (of: { readonly id: string }, action: object, as: 'admin' | 'demo' = 'demo') =>
  lab.compute('POST', `/servers/${of.id}/action`, action, as);
const statusOf = async ({ id }: { readonly id: string }): Promise<string> =>
  (await lab.compute<{ server: Server }>('GET', `/servers/${id}`)).server.status;
const becomes = (of: { readonly id: string }, status: string) =>
  until(
    `server ${of.id} to be ${status}`,
    () => statusOf(of),
    (now) => now === status,
    90_000,
    200,
  );

describe('a guest', () => {
  it('that stands still begins anew by force', async () => {
    const before = await boot(guest);
    await login.act(guest, { pause: null }, 'PAUSED');
    await login.act(guest, { reboot: { type: 'HARD' } }, 'ACTIVE');
    expect(await boot(guest)).not.toBe(before);
    await holds();
  });

  it('that is locked is out of its owner’s reach, and goes on', async () => {
    const before = await boot(guest);
    await asked(guest, { lock: { locked_reason: 'audit' } }).catch(() => asked(guest, { lock: null }));
    await expect(asked(guest, { 'os-stop': null })).rejects.toThrow('409');
    await asked(guest, { unlock: null });
    expect(await boot(guest)).toBe(before);
  });

  it('does not hear of a state that was set by hand, and is had again from it', async () => {
    const before = await boot(guest);
    await asked(guest, { 'os-resetState': { state: 'error' } }, 'admin');
    expect(await statusOf(guest)).toBe('ERROR');
    expect(await boot(guest)).toBe(before);
    await asked(guest, { 'os-resetState': { state: 'active' } }, 'admin');
    expect(await statusOf(guest)).toBe('ACTIVE');
    expect(await boot(guest)).toBe(before);
    await asked(guest, { 'os-resetState': { state: 'error' } }, 'admin');
    await login.act(guest, { reboot: { type: 'HARD' } }, 'ACTIVE');
    expect(await boot(guest)).not.toBe(before);
    await holds();
  });

  it('is put on the shelf while it stands still, with all that it had written', async () => {
    await login.act(guest, { pause: null }, 'PAUSED');
    await login.act(guest, { shelve: null }, 'SHELVED_OFFLOADED');
    await login.act(guest, { unshelve: null }, 'ACTIVE');
    await login.answers(guest);
    await holds();
  });
});

describe('a rebuild', () => {
  it('brings new user data, and takes away the key of before', async () => {
    const { id } = await login.guest();
    const user_data = Buffer.from('#!/bin/sh\necho "told: anew"\n').toString('base64');
    const imageRef = (await lab.imageIds())('tiny');
    const body = { rebuild: { imageRef, user_data, key_name: null } };
    expect((await api.send('compute', 'POST', `/servers/${id}/action`, body, 'demo', '2.57')).status).toBe(202);
    await becomes({ id }, 'ACTIVE');
    const read = { 'os-getConsoleOutput': { length: 60 } };
    const log = async () => (await lab.compute<{ output: string }>('POST', `/servers/${id}/action`, read)).output;
    const told = await until('the user data to have run', log, (text) => text.includes('told: anew'), 90_000, 500);
    expect(told).toMatch(/metadata source=\S+ .*keys=0/);
  });
});

describe('a node that loses all its guests at once, its hypervisor and its agent', () => {
  it('has each again as it is to be, with what had been saved', async () => {
    const [suspended, ...bare] = await Promise.all([
      login.guest({ name: 'lab-lifecycle-suspended' }),
      lab.server({ networks: 'none' }),
      lab.server({ networks: 'none' }),
    ]);
    const [paused, stopped] = bare as [Server, Server];
    const slept = await boot(suspended);
    await login.act(suspended, { suspend: null }, 'SUSPENDED');
    await Promise.all([asked(paused, { pause: null }), asked(stopped, { 'os-stop': null })]);
    await Promise.all([becomes(paused, 'PAUSED'), becomes(stopped, 'SHUTOFF')]);
    const before = await boot(guest);
    const all = [guest, suspended, paused, stopped];
    for (const node of new Set(await Promise.all(all.map((of) => login.node(of))))) await scriptOnNode(node, LOSS);
    // What stood still in a memory that is lost is off; what was to run runs again.
    await becomes(paused, 'SHUTOFF');
    await login.act(suspended, { resume: null }, 'ACTIVE');
    expect(await boot(suspended)).toBe(slept);
    await until(
      'the guest to be another',
      () => boot(guest),
      (now) => now !== before,
      90_000,
      500,
    );
    await holds();
    expect(await Promise.all(all.map(statusOf))).toEqual(['ACTIVE', 'ACTIVE', 'SHUTOFF', 'SHUTOFF']);
    const ids = all.map(({ id }) => id);
    const wrong = async () => (await findings()).filter(({ id }) => ids.includes(id));
    await until('the auditor to be satisfied', wrong, (found) => !found.length, 30_000, 1_000);
  });
});
