/** A guest that counts and writes: where its count goes on, where it begins anew, and that its disk holds throughout. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings } from '../client.js';
import { Lab } from '../network/lab/lab.js';
import { mustOnNode } from '../network/lab/node.js';
import { type Guest, Login } from './login.js';

const KEEP = '/home/tiny/keep';
const COUNT = '/tmp/count';

let lab: Lab;
let login: Login;
let guest: Guest;
let sum = '';

beforeAll(async () => {
  lab = await Lab.open('power', ['node-1']);
  login = await Login.open(lab, 'lab-power', '10.76.0.0/24');
  guest = await login.guest();
  sum = await login.inside(guest, `head -c 2000000 /dev/urandom > ${KEEP}; sync; sha256sum < ${KEEP}`);
  await count();
});
afterAll(() => lab.close());

/** Starts a process that counts, in memory alone. */
const count = () =>
  login.inside(
    guest,
    `(n=0; while :; do n=$((n + 1)); echo $n > ${COUNT}; sleep 0.2; done) >/dev/null 2>&1 </dev/null &`,
  );

interface State {
  readonly boot: string;
  readonly count: number;
}
async function state(): Promise<State> {
  await login.answers(guest);
  const told = await login.inside(guest, `cat /proc/sys/kernel/random/boot_id ${COUNT} 2>/dev/null || echo 0`);
  const [boot = '', n = '0'] = told.split('\n');
  return { boot, count: Number(n) };
}
const holds = async () => expect(await login.inside(guest, `sha256sum < ${KEEP}`)).toBe(sum);
const act = (action: object, status: string) => login.act(guest, action, status);
const virsh = async (...words: string[]) => mustOnNode(await login.node(guest), 'virsh', ...words, guest.id);

describe.each([
  { asleep: 'pause', status: 'PAUSED', awake: 'unpause', domain: 'paused' },
  { asleep: 'suspend', status: 'SUSPENDED', awake: 'resume', domain: 'shut off' },
])('$asleep and $awake', ({ asleep, status, awake, domain }) => {
  it('let the same count go on, from where it was', async () => {
    const before = await state();
    await act({ [asleep]: null }, status);
    expect((await virsh('domstate')).trim()).toBe(domain);
    await expect(act({ 'os-stop': null }, 'SHUTOFF')).rejects.toThrow('409');
    await act({ [awake]: null }, 'ACTIVE');
    const after = await state();
    expect(after.boot).toBe(before.boot);
    expect(after.count).toBeGreaterThanOrEqual(before.count);
    await holds();
  });
});

describe('what the node’s administrator does with virsh', () => {
  it('is seen: a suspended guest can be resumed, a resumed one is active', async () => {
    const before = await state();
    await virsh('managedsave');
    await login.becomes(guest, 'SUSPENDED');
    await act({ resume: null }, 'ACTIVE');
    await act({ pause: null }, 'PAUSED');
    await virsh('resume');
    await login.becomes(guest, 'ACTIVE');
    expect((await state()).boot).toBe(before.boot);
    await virsh('shutdown');
    await login.becomes(guest, 'SHUTOFF');
    await act({ 'os-start': null }, 'ACTIVE');
    await state();
    await count();
  });
});

describe('a reboot', () => {
  it.each(['SOFT', 'HARD'])('%s begins anew, and the disk holds', async (type) => {
    const before = await state();
    await act({ reboot: { type } }, 'ACTIVE');
    expect((await state()).boot).not.toBe(before.boot);
    await holds();
  });

  it('by force wakes a suspended guest without its memory', async () => {
    const before = await state();
    await act({ suspend: null }, 'SUSPENDED');
    await act({ reboot: { type: 'HARD' } }, 'ACTIVE');
    expect((await state()).boot).not.toBe(before.boot);
    await holds();
  });
});

describe('a suspended guest', () => {
  it('outlives its hypervisor’s daemon and the agent', async () => {
    const before = await state();
    await act({ suspend: null }, 'SUSPENDED');
    const node = await login.node(guest);
    await mustOnNode(node, 'pkill', '-9', 'libvirtd');
    await mustOnNode(node, 'pkill', '-9', '-f', 'agent/src/main');
    await act({ resume: null }, 'ACTIVE');
    expect((await state()).boot).toBe(before.boot);
    await holds();
  });
});

it('leaves nothing for the auditor', async () => {
  await act({ pause: null }, 'PAUSED');
  await lab.compute('DELETE', `/servers/${guest.id}`);
  await expect
    .poll(async () => (await findings()).filter(({ id }) => id === guest.id), { timeout: 30_000, interval: 1_000 })
    .toEqual([]);
});
