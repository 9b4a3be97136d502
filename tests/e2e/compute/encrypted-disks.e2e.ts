/**
 * Encrypted disks of real guests: nothing of what a guest writes lies open in their files, the keys lie open nowhere, and
 * guests start again after anything that may happen to what runs on their node.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Seal } from '#services/compute/data';
import { findings, STATE, until } from '../client.js';
import { Lab } from '../network/lab/lab.js';
import { killOnNode, mustOnNode, scriptOnNode } from '../network/lab/node.js';
import { type Guest, Login } from './login.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const MARK = `mark-${Date.now()}-${Math.random().toString(36).slice(2)}`;
const DATA = '/tmp/data';

let lab: Lab;
let login: Login;
let guest: Guest;
let node = '';
let image: (name: string) => string;
let small = '';
let large = '';
/** Every key that was seen, by its disk. */
const seen = new Map<string, string>();

beforeAll(async () => {
  lab = await Lab.open('encrypted-disks', ['node-1']);
  login = await Login.open(lab, 'lab-encrypted-disks', '10.77.0.0/24');
  image = await lab.imageIds();
  small = await flavor('small', 1, 64);
  large = await flavor('large', 2, 128);
  const boot = { source_type: 'image', destination_type: 'local', uuid: image('tiny'), boot_index: 0 };
  const data = { source_type: 'blank', destination_type: 'local', guest_format: 'ext4' };
  guest = await login.guest({ flavorRef: small, block_device_mapping_v2: [boot, data] });
  node = guest['OS-EXT-SRV-ATTR:host']!;
});
afterAll(() => lab.close());

async function flavor(name: string, ephemeral: number, swap: number): Promise<string> {
  const sizes = { ram: 128, vcpus: 1, disk: 1, 'OS-FLV-EXT-DATA:ephemeral': ephemeral, swap };
  const body = { flavor: { name: `lab-encrypted-${name}-${Date.now()}`, ...sizes } };
  const { id } = (await lab.compute<{ flavor: { id: string } }>('POST', '/flavors', body, 'admin')).flavor;
  lab.afterwards(() => lab.compute('DELETE', `/flavors/${id}`, undefined, 'admin'));
  const extra_specs = { 'hw:ephemeral_encryption': 'true', 'hw:ephemeral_encryption_format': 'luks' };
  await lab.compute('POST', `/flavors/${id}/os-extra_specs`, { extra_specs }, 'admin');
  return id;
}

const asks = (action: object) => lab.compute('POST', `/servers/${guest.id}/action`, action);
const folder = (of = guest): string => `/var/lib/yagura/agent/instances/${of.id}`;
const mounted = (command: string): Promise<string> =>
  login.inside(
    guest,
    `sudo mkdir -p ${DATA}; sudo mount -t ext4 $(sudo blkid -L ephemeral0) ${DATA}; ${command}; sudo umount ${DATA}`,
  );
/** The mark in the root disk and in the other one. */
const write = (): Promise<string> =>
  mounted(`echo ${MARK} > /home/tiny/mark; sudo sh -c "echo ${MARK} > ${DATA}/mark"; sync`);
const read = (): Promise<string> =>
  mounted(`cat /home/tiny/mark 2>/dev/null || echo gone; sudo cat ${DATA}/mark 2>/dev/null || echo gone`);
const BOTH = `${MARK}\n${MARK}`;

/** How many of the server's disks have the mark in their bytes. */
const found = async (of = guest): Promise<number> =>
  Number(await scriptOnNode(node, 'grep -laF -- "$2" "$1"/*.qcow2 | wc -l', folder(of), MARK));

interface Info {
  readonly encrypted?: boolean;
  readonly 'format-specific': { readonly data: { readonly encrypt?: { readonly format: string } } };
}
/** What qemu-img says of each of its disks. */
async function kinds(): Promise<string[]> {
  const text = await scriptOnNode(
    node,
    'for d in "$1"/*.qcow2; do qemu-img info -U --output=json "$d" | tr -d "\\n"; echo; done',
    folder(),
  );
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Info)
    .map((info) => (info.encrypted ? (info['format-specific'].data.encrypt?.format ?? 'unknown') : 'plain'));
}

/** The keys of its disks as compute would tell the node, opened with compute's own sealing key. */
async function keys(): Promise<Map<string, string>> {
  const seal = new Seal(readFileSync(join(STATE, 'data/controller/yagura/compute/seal.key')));
  const { database } = JSON.parse(readFileSync(join(STATE, 'config/controller/compute.json'), 'utf8')) as {
    database: string;
  };
  const query = `select id || ' ' || encode(key, 'hex') from block_device where server_id = '${guest.id}'`;
  const rows = (await mustOnNode('controller', 'psql', database, '-Atc', query)).trim().split('\n');
  const opened = rows.map((row) => {
    const [id = '', box = ''] = row.split(' ');
    return [id, seal.open(Buffer.from(box, 'hex'), `block_device/${id}/key`)] as const;
  });
  for (const [id, key] of opened) seen.set(id, key);
  return new Map(opened);
}

describe('encrypted disks', () => {
  it('are all of a server where its flavor says so, each with a key of its own', async () => {
    expect(await kinds()).toEqual(['luks', 'luks', 'luks']);
    expect(
      await login.inside(guest, 'lsblk -lbn --nodeps | sort | while read n m r s x; do echo $n $s; done'),
    ).toContain(`vdc ${64 * MIB}`);
    expect(new Set((await keys()).values()).size).toBe(3);
    expect(await mustOnNode(node, 'virsh', 'secret-list')).not.toMatch(/[0-9a-f]{8}-/);
  });

  it('have nothing in their files of what the guest wrote, where a plain one has', async () => {
    await write();
    expect(await read()).toBe(BOTH);
    const plain = await login.guest({});
    await login.inside(plain, `echo ${MARK} > /home/tiny/mark; sync`);
    if (plain['OS-EXT-SRV-ATTR:host'] === node) expect(await found(plain)).toBe(1);
    expect(await found()).toBe(0);
  });

  it('are there again after a reboot, a stop, and deaths of the agent and of libvirtd', async () => {
    await killOnNode(node, 'agent');
    await killOnNode(node, 'libvirtd');
    await until(
      'the node to obey again',
      () => mustOnNode(node, 'virsh', 'list', '--name'),
      (all) => all.includes(guest.id),
    );
    expect(await read()).toBe(BOTH);
    await login.act(guest, { reboot: { type: 'HARD' } }, 'ACTIVE');
    await login.answers(guest);
    expect(await read()).toBe(BOTH);
    await login.act(guest, { 'os-stop': null }, 'SHUTOFF');
    await login.act(guest, { 'os-start': null }, 'ACTIVE');
    await login.answers(guest);
    expect([await read(), await kinds()]).toEqual([BOTH, ['luks', 'luks', 'luks']]);
  });

  it('are had back after a resize, and kept after another', async () => {
    const before = await keys();
    await login.act(guest, { resize: { flavorRef: large } }, 'VERIFY_RESIZE');
    await login.answers(guest);
    expect([await read(), (await kinds()).every((kind) => kind === 'luks')]).toEqual([BOTH, true]);
    await keys();
    await login.inside(guest, 'echo later > /home/tiny/mark; sync');
    await login.act(guest, { revertResize: null }, 'ACTIVE');
    await login.answers(guest);
    expect([await read(), await keys()]).toEqual([BOTH, before]);
    await asks({ resize: { flavorRef: large } });
    await killOnNode(node, 'agent');
    await login.becomes(guest, 'VERIFY_RESIZE');
    await login.answers(guest);
    await login.act(guest, { confirmResize: null }, 'ACTIVE');
    await login.act(guest, { reboot: { type: 'HARD' } }, 'ACTIVE');
    await login.answers(guest);
    expect([await read(), await found()]).toEqual([BOTH, 0]);
    expect(await login.inside(guest, 'cat /sys/block/vdb/size')).toBe(String((2 * GIB) / 512));
  });

  it('are rescued, with the rescue as secret as they are', async () => {
    await login.act(guest, { rescue: { rescue_image_ref: image('tiny-alt') } }, 'RESCUE');
    await login.answers(guest);
    await login.inside(guest, `echo ${MARK} > /home/tiny/mark; sudo mkdir -p /tmp/old; sync`);
    await login.inside(guest, 'sudo mount -t ext4 -o ro /dev/vdb2 /tmp/old');
    expect(await login.inside(guest, 'sudo cat /tmp/old/home/tiny/mark')).toBe(MARK);
    expect([await found(), await kinds()]).toEqual([0, ['luks', 'luks', 'luks', 'luks']]);
    await login.act(guest, { unrescue: null }, 'ACTIVE');
    await login.answers(guest);
  });

  it('do not become images', async () => {
    await expect(asks({ createImage: { name: 'lab-encrypted' } })).rejects.toThrow('400');
    await expect(asks({ shelve: null })).rejects.toThrow('400');
  });

  it('have other keys after a rebuild', async () => {
    const before = await keys();
    await login.act(guest, { rebuild: { imageRef: image('tiny') } }, 'ACTIVE');
    await login.answers(guest);
    const after = await keys();
    expect([after.size, [...after.values()].filter((key) => [...before.values()].includes(key))]).toEqual([3, []]);
    expect([await read(), await kinds()]).toEqual(['gone\ngone', ['luks', 'luks', 'luks']]);
  });
});

it('leaves no key in a log, a command line, a file of the node or the books of any service', async () => {
  expect(seen.size).toBeGreaterThan(6);
  const files = (path: string): string[] =>
    readdirSync(path).flatMap((name) => {
      const one = join(path, name);
      return statSync(one).isDirectory() ? files(one) : [one];
    });
  const secrets = [...seen.values()];
  const logs = files(join(STATE, 'log')).filter((path) => {
    const text = readFileSync(path, 'latin1');
    return secrets.some((key) => text.includes(key));
  });
  expect(logs).toEqual([]);
  const holds = (where: string, script: string): Promise<string> =>
    scriptOnNode(where, `${script} | grep -caF "$(printf '%s\\n' "$@")" || true`, ...secrets);
  const commands = await scriptOnNode(node, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'");
  expect(commands).toContain(`instance-${guest.id}`);
  expect(
    secrets.filter((key) => commands.includes(key) || commands.includes(Buffer.from(key).toString('base64'))),
  ).toEqual([]);
  const text =
    'find /var/lib/yagura/agent /run/libvirt /etc/libvirt /var/log -type f -size -300k -exec cat {} + 2>/dev/null';
  expect((await holds(node, text)).trim()).toBe('0');
  expect(Number(await scriptOnNode(node, `${text} | grep -caF -- "$1"`, guest.id))).toBeGreaterThan(0);
  const { database } = JSON.parse(readFileSync(join(STATE, 'config/controller/compute.json'), 'utf8')) as {
    database: string;
  };
  const dump = await mustOnNode('controller', 'pg_dump', '--data-only', database);
  expect(secrets.filter((key) => dump.includes(key) || dump.includes(Buffer.from(key).toString('hex')))).toEqual([]);
  expect(await mustOnNode(node, 'virsh', 'secret-list')).not.toMatch(/[0-9a-f]{8}-/);
  expect((await mustOnNode(node, 'ls', '/dev/shm')).trim()).not.toContain('yagura-key');
});

it('leaves the books balanced', async () => {
  const all = await findings();
  expect(all.filter(({ id, message }) => `${id}${message}`.includes(guest.id))).toEqual([]);
});
