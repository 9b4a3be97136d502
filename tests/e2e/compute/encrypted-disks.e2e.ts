/**
 * Encrypted disks of real guests: nothing of what a guest writes lies open in their files, the keys lie open nowhere, and
 * guests start again after anything that may happen to what runs on their node.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, STATE, until } from '../client.js';
import { killOnNode, mustOnNode, scriptOnNode } from '../network/lab/node.js';
import { computeDatabase, EncryptedGuest } from './encrypted-guest.fixture.js';

const MIB = 2 ** 20;
const ALL = ['luks', 'luks', 'luks'];

let one: EncryptedGuest;
let node = '';

beforeAll(async () => {
  one = await EncryptedGuest.open('encrypted-disks', '10.77.0.0/24');
  ({ node } = one);
});
afterAll(() => one.lab.close());

describe('encrypted disks', () => {
  it('are all of a server where its flavor says so, each with a key of its own', async () => {
    expect(await one.kinds()).toEqual(ALL);
    expect(await one.inside('lsblk -lbn --nodeps | sort | while read n m r s x; do echo $n $s; done')).toContain(
      `vdc ${64 * MIB}`,
    );
    expect(new Set((await one.keys()).values()).size).toBe(3);
    expect(await mustOnNode(node, 'virsh', 'secret-list')).not.toMatch(/[0-9a-f]{8}-/);
  });

  it('have nothing in their files of what the guest wrote, where a plain one has', async () => {
    await one.write();
    expect(await one.read()).toBe(one.both);
    const plain = await one.login.guest({});
    await one.login.inside(plain, `echo ${one.mark} > /home/tiny/mark; sync`);
    if (plain['OS-EXT-SRV-ATTR:host'] === node) expect(await one.found(plain)).toBe(1);
    expect(await one.found()).toBe(0);
  });

  it('are there again after a reboot, a stop, and deaths of the agent and of libvirtd', async () => {
    await killOnNode(node, 'agent');
    await killOnNode(node, 'libvirtd');
    await until(
      'the node to obey again',
      () => mustOnNode(node, 'virsh', 'list', '--name'),
      (all) => all.includes(one.guest.id),
    );
    expect(await one.read()).toBe(one.both);
    await one.act({ reboot: { type: 'HARD' } }, 'ACTIVE');
    expect(await one.read()).toBe(one.both);
    await one.login.act(one.guest, { 'os-stop': null }, 'SHUTOFF');
    await one.act({ 'os-start': null }, 'ACTIVE');
    expect([await one.read(), await one.kinds()]).toEqual([one.both, ALL]);
  });

  it('do not become images', async () => {
    await expect(one.asks({ createImage: { name: 'lab-encrypted' } })).rejects.toThrow('400');
    await expect(one.asks({ shelve: null })).rejects.toThrow('400');
  });

  it('have other keys after a rebuild', async () => {
    const before = await one.keys();
    await one.act({ rebuild: { imageRef: one.image('tiny') } }, 'ACTIVE');
    const after = await one.keys();
    expect([after.size, [...after.values()].filter((key) => [...before.values()].includes(key))]).toEqual([3, []]);
    expect([await one.read(), await one.kinds()]).toEqual(['gone\ngone', ALL]);
  });
});

it('leaves no key in a log, a command line, a file of the node or the books of any service', async () => {
  expect(one.seen.size).toBe(6);
  const files = (path: string): string[] =>
    readdirSync(path).flatMap((name) => {
      const one = join(path, name);
      return statSync(one).isDirectory() ? files(one) : [one];
    });
  const secrets = [...one.seen.values()];
  const logs = files(join(STATE, 'log')).filter((path) => {
    const text = readFileSync(path, 'latin1');
    return secrets.some((key) => text.includes(key));
  });
  expect(logs).toEqual([]);
  const holds = (where: string, script: string): Promise<string> =>
    scriptOnNode(where, `${script} | grep -caF "$(printf '%s\\n' "$@")" || true`, ...secrets);
  const commands = await scriptOnNode(node, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'");
  expect(commands).toContain(`instance-${one.guest.id}`);
  expect(
    secrets.filter((key) => commands.includes(key) || commands.includes(Buffer.from(key).toString('base64'))),
  ).toEqual([]);
  const text =
    'find /var/lib/yagura/agent /run/libvirt /etc/libvirt /var/log -type f -size -300k -exec cat {} + 2>/dev/null';
  expect((await holds(node, text)).trim()).toBe('0');
  expect(Number(await scriptOnNode(node, `${text} | grep -caF -- "$1"`, one.guest.id))).toBeGreaterThan(0);
  const dump = await mustOnNode('controller', 'pg_dump', '--data-only', computeDatabase());
  expect(secrets.filter((key) => dump.includes(key) || dump.includes(Buffer.from(key).toString('hex')))).toEqual([]);
  expect(await mustOnNode(node, 'virsh', 'secret-list')).not.toMatch(/[0-9a-f]{8}-/);
  expect((await mustOnNode(node, 'ls', '/dev/shm')).trim()).not.toContain('yagura-key');
});

it('leaves the books balanced', async () => {
  const all = await findings();
  expect(all.filter(({ id, message }) => `${id}${message}`.includes(one.guest.id))).toEqual([]);
});
