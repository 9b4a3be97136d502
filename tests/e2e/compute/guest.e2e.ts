/** What reaches into a real guest, and what its hypervisor tells of it: diagnostics, an interrupt, a new password. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../client.js';
import { Api } from '../network/lab/api.js';
import { Lab } from '../network/lab/lab.js';
import { onNode } from '../network/lab/node.js';
import { type Guest, Login } from './login.js';

const PASSWORD = 'a new "pass" wörd: $1';

interface Image {
  readonly id: string;
  readonly status: string;
}

let api: Api;
let lab: Lab;
let login: Login;
/** Of an image that says that an agent is inside. */
let guest: Guest;
/** Of one that says that there is none. */
let plain: Guest;

beforeAll(async () => {
  lab = await Lab.open('guest', ['node-1']);
  api = await Api.open();
  login = await Login.open(lab, 'lab-guest', '10.77.0.0/24');
  guest = await login.guest();
  const metadata = { hw_qemu_guest_agent: 'no' };
  await lab.compute('POST', `/servers/${guest.id}/action`, { createImage: { name: 'lab-guest', metadata } });
  const status = async () =>
    (await api.send<{ images: Image[] }>('image', 'GET', '/v2/images?name=lab-guest')).body.images[0];
  const image = (await until('the image to be whole', status, (now) => now?.status === 'active', 120_000, 500))!;
  lab.afterwards(async () => void (await api.send('image', 'DELETE', `/v2/images/${image.id}`)));
  plain = await login.guest({ imageRef: image.id });
});
afterAll(() => lab.close());

const act = (of: Guest, action: object) => lab.compute('POST', `/servers/${of.id}/action`, action);

describe('diagnostics', () => {
  it('tell what the guest has used, and no member of it', async () => {
    const path = `/servers/${guest.id}/diagnostics`;
    const told = await lab.compute<Record<string, number>>('GET', path, undefined, 'admin');
    expect(told['memory']).toBe(128 * 1024);
    expect(told['cpu0_time']).toBeGreaterThan(1e9);
    expect(told['vda_read']).toBeGreaterThan(1e6);
    const [device] = Object.keys(told).flatMap((key) => /^(tap.*)_rx$/.exec(key)?.[1] ?? []);
    expect(told[`${device}_rx_packets`]).toBeGreaterThan(0);
    expect(told[`${device}_tx`]).toBeGreaterThan(0);
    await expect(lab.compute('GET', path)).rejects.toThrow('403');
  });

  it('are refused of a guest that does not run', async () => {
    await login.act(guest, { pause: null }, 'PAUSED');
    await expect(lab.compute('GET', `/servers/${guest.id}/diagnostics`, undefined, 'admin')).rejects.toThrow(
      'power state paused',
    );
    await login.act(guest, { unpause: null }, 'ACTIVE');
  });
});

describe('a crash dump', () => {
  const interrupts = async () => Number(await login.inside(guest, "awk '/NMI:/ {print $2}' /proc/interrupts"));

  it('is one interrupt that the guest hears', async () => {
    const before = await interrupts();
    await act(guest, { trigger_crash_dump: null });
    expect(await until('the interrupt', interrupts, (now) => now > before, 30_000, 500)).toBe(before + 1);
    const dmesg = await login.inside(guest, 'dmesg | grep -c "NMI received" || true');
    expect(Number(dmesg)).toBe(1);
  });
});

describe('a new password', () => {
  const change = { changePassword: { adminPass: PASSWORD } };
  const hash = () => login.inside(guest, "sudo sed -n 's/^tiny:\\([^:]*\\):.*/\\1/p' /etc/shadow");

  it('is the one that the user of the image has then', async () => {
    expect(await hash()).toBe('*');
    await act(guest, change);
    const stored = await hash();
    const [, kind, salt] = /^\$([0-9])\$([^$]*)\$/.exec(stored) ?? [];
    const method = { 1: 'md5', 5: 'sha256', 6: 'sha512' }[kind ?? ''];
    const encoded = Buffer.from(PASSWORD).toString('base64');
    const compare = `mkpasswd -m ${method} -S '${salt}' "$(echo ${encoded} | base64 -d)"`;
    expect(await login.inside(guest, compare)).toBe(stored);
  });

  it('is nowhere to be read in what the agent keeps', async () => {
    const { code, output } = await onNode(await login.node(guest), [
      'grep',
      '-rlaF',
      PASSWORD,
      '/var/lib/yagura/agent',
    ]);
    expect([code, output]).toEqual([1, '']);
  });

  it('is refused where no agent answers, and where the image knows of none', async () => {
    await login.inside(guest, 'sudo killall guest-agent');
    await expect(act(guest, change)).rejects.toThrow('501');
    await login.becomes(guest, 'ACTIVE');
    await expect(act(plain, change)).rejects.toThrow('QEMU guest agent is not enabled');
  });
});
