/** The whole way as a tenant goes it: token, image, network, key, two guests that see each other, power, deletion. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, must, openstack, STATE, show, until, yagura } from './client.js';

const DEMO = 'yagura-demo';
const folder = mkdtempSync(join(STATE, 'e2e-'));
const run = `e2e-${Date.now().toString(36)}`;
const name = (what: string): string => `${run}-${what}`;

const log = async (server: string): Promise<string> =>
  (await openstack(DEMO, 'console', 'log', 'show', name(server))).output;
const address = async (server: string): Promise<string> => {
  const { addresses } = await show<{ addresses: Record<string, string[]> }>(DEMO, 'server', 'show', name(server));
  const first = Object.values(addresses)[0]?.[0];
  if (!first) throw new Error(`${server} has no address`);
  return first;
};
const status = async (server: string): Promise<string> =>
  (await show<{ status: string }>(DEMO, 'server', 'show', name(server))).status;

/** The peer is told by user data: the first guest listens, the second pings it and says so on its console. */
const pinger = (peer: string): string => `#!/bin/sh
i=0
while [ $i -lt 60 ]; do
  if ping -c 1 -W 2 ${peer} >/dev/null 2>&1; then echo "PEER ${peer} ANSWERS" >/dev/ttyS0; exit 0; fi
  i=$((i+1)); sleep 1
done
echo "PEER ${peer} SILENT" >/dev/ttyS0
`;

beforeAll(async () => {
  await must(DEMO, 'network', 'create', name('net'));
  await must(DEMO, 'subnet', 'create', '--network', name('net'), '--subnet-range', '10.77.0.0/24', name('subnet'));
});

afterAll(async () => {
  for (const server of ['a', 'b']) await openstack(DEMO, 'server', 'delete', '--wait', name(server));
  for (const [kind, what] of [
    ['image', 'img'],
    ['keypair', 'key'],
    ['subnet', 'subnet'],
    ['network', 'net'],
  ] as const)
    await openstack(DEMO, kind, 'delete', name(what));
  rmSync(folder, { recursive: true, force: true });
});

describe('a tenant with the stock client', () => {
  it('gets a token', async () => {
    const token = await show<{ id: string; project_id: string }>(DEMO, 'token', 'issue');
    expect(token.id.length).toBeGreaterThan(20);
    expect(token.project_id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('uploads an image of its own', async () => {
    const image = await show<{ id: string }>(DEMO, 'image', 'show', 'tiny');
    await must(DEMO, 'image', 'save', '--file', join(folder, 'tiny.qcow2'), image.id);
    await must(
      DEMO,
      'image',
      'create',
      '--file',
      join(folder, 'tiny.qcow2'),
      '--disk-format',
      'qcow2',
      '--container-format',
      'bare',
      name('img'),
    );
    expect(await show(DEMO, 'image', 'show', name('img'))).toMatchObject({
      status: 'active',
      visibility: expect.stringMatching(/private|shared/),
    });
  });

  it('makes a key pair', async () => {
    expect(await must(DEMO, 'keypair', 'create', name('key'))).toContain('PRIVATE KEY');
  });

  it('boots two servers that wait until ACTIVE', async () => {
    const common = [
      '--flavor',
      'm1.nano',
      '--image',
      name('img'),
      '--network',
      name('net'),
      '--key-name',
      name('key'),
      '--wait',
    ];
    await must(DEMO, 'server', 'create', ...common, name('a'));
    writeFileSync(join(folder, 'user-data'), pinger(await address('a')));
    await must(DEMO, 'server', 'create', ...common, '--user-data', join(folder, 'user-data'), name('b'));
    expect([await status('a'), await status('b')]).toEqual(['ACTIVE', 'ACTIVE']);
  });

  it('reads on the console what the guest got from DHCP and metadata', async () => {
    const { id } = await show<{ id: string }>(DEMO, 'server', 'show', name('a'));
    const ip = await address('a');
    const text = await until(
      'the console of a',
      () => log('a'),
      (output) => output.includes('READY'),
    );
    expect(text).toContain(ip);
    expect(text).toContain(name('a'));
    expect(text).toContain(id);
    expect(text).not.toMatch(/metadata.*(none|config)/i);
  });

  it('sees the guests reach each other', async () => {
    const ip = await address('a');
    const text = await until(
      'the ping of a from b',
      () => log('b'),
      (output) => /PEER \S+ (ANSWERS|SILENT)/.test(output),
      150_000,
    );
    expect(text).toContain(`PEER ${ip} ANSWERS`);
  });

  it('stops, starts and reboots one', async () => {
    await must(DEMO, 'server', 'stop', name('a'));
    await until(
      'a to stop',
      () => status('a'),
      (now) => now === 'SHUTOFF',
    );
    await must(DEMO, 'server', 'start', name('a'));
    await until(
      'a to start',
      () => status('a'),
      (now) => now === 'ACTIVE',
    );
    await must(DEMO, 'server', 'reboot', '--wait', name('a'));
    await must(DEMO, 'server', 'reboot', '--hard', '--wait', name('a'));
    expect(await status('a')).toBe('ACTIVE');
    await until(
      'the console of a after the reboot',
      () => log('a'),
      (output) => /READY .* boot=[2-9]/.test(output),
    );
  });

  it('asks why, and is told every step', async () => {
    const { id } = await show<{ id: string }>(DEMO, 'server', 'show', name('a'));
    const { events } = JSON.parse((await yagura('why', id, '-o', 'json')).output) as {
      events: { service: string; what: string; node: string }[];
    };
    const told = events.map((event) => event.what).join('\n');
    for (const step of ['claim', 'ports', 'boot', 'activate']) expect(told).toContain(step);
    expect(events.some((event) => event.node.startsWith('node-'))).toBe(true);
  });

  it('deletes both, and nothing is left behind', async () => {
    await must(DEMO, 'server', 'delete', '--wait', name('a'), name('b'));
    const servers = await show<{ Name: string }[]>(DEMO, 'server', 'list');
    expect(servers.filter((server) => server.Name.startsWith(run))).toEqual([]);
    expect(await findings()).toEqual([]);
  });
});
