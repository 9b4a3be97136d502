/**
 * Disks beside the root disk, as guests see them: with their sizes, formatted, found by tag, label and serial number; what is
 * written there outlives what the server outlives, and goes with what the owner asks to go.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings } from '../client.js';
import { Lab } from '../network/lab/lab.js';
import { killOnNode, scriptOnNode } from '../network/lab/node.js';
import { type Guest, Login } from './login.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

let lab: Lab;
let login: Login;
let guest: Guest;
let node = '';
let image: (name: string) => string;
/** Ids of flavors with an ephemeral disk of 1 and of 2 GiB, and swap of 64 and of 128 MiB. */
let small = '';
let large = '';

beforeAll(async () => {
  lab = await Lab.open('local-disks', ['node-1']);
  login = await Login.open(lab, 'lab-local-disks', '10.76.0.0/24');
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
  const body = { flavor: { name: `lab-local-${name}-${Date.now()}`, ...sizes } };
  const { id } = (await lab.compute<{ flavor: { id: string } }>('POST', '/flavors', body, 'admin')).flavor;
  lab.afterwards(() => lab.compute('DELETE', `/flavors/${id}`, undefined, 'admin'));
  return id;
}

/** Bytes of the guest's disks by name, as the official suite asks for them. */
async function sizes(of: Guest = guest): Promise<Record<string, number>> {
  const lines = (await login.inside(of, 'lsblk -lb --nodeps')).split('\n').map((line) => line.trim().split(/\s+/));
  return Object.fromEntries(lines.filter((words) => words[5] === 'disk').map((words) => [words[0]!, Number(words[3])]));
}
const DATA = '/tmp/data';
const mounted = (command: string): Promise<string> =>
  login.inside(
    guest,
    `sudo mkdir -p ${DATA}; sudo mount -t ext4 $(sudo blkid -L ephemeral0) ${DATA}; ${command}; sudo umount ${DATA}`,
  );
/** Writes something that nobody else would; returns its checksum. */
const write = (): Promise<string> =>
  mounted(`sudo sh -c "head -c 3000000 /dev/urandom > ${DATA}/keep"; sudo sha256sum < ${DATA}/keep`);
const read = (): Promise<string> => mounted(`[ ! -e ${DATA}/keep ] && echo gone || sudo sha256sum < ${DATA}/keep`);
/** Its files on the node. */
const files = async (): Promise<string[]> =>
  (await scriptOnNode(node, 'ls "/var/lib/yagura/agent/instances/$1"', guest.id)).split('\n');
const local = async (): Promise<string[]> => (await files()).filter((name) => name.startsWith('local.'));
const asks = (action: object) => lab.compute('POST', `/servers/${guest.id}/action`, action);

let sum = '';

describe('the disks of a guest', () => {
  it('have the sizes that were asked for', async () => {
    expect(await sizes()).toEqual({ vda: GIB, vdb: GIB, vdc: 64 * MIB });
  });

  it('are formatted, and found by label and serial number', async () => {
    expect(await login.inside(guest, 'sudo blkid -L ephemeral0')).toBe('/dev/vdb');
    const serials = await login.inside(guest, 'cat /sys/block/vdb/serial; echo; cat /sys/block/vdc/serial');
    const named = (await local()).map((name) => name.slice('local.'.length).slice(0, 20));
    expect(serials.split('\n').sort()).toEqual(named.sort());
    await login.inside(guest, 'sudo swapon /dev/vdc');
    expect(await login.inside(guest, 'cat /proc/swaps')).toContain('/dev/vdc');
    sum = await write();
  });

  it('keep what is in them while the server goes off and on, and while its agent dies', async () => {
    await login.act(guest, { reboot: { type: 'HARD' } }, 'ACTIVE');
    await login.answers(guest);
    expect(await read()).toBe(sum);
    await login.act(guest, { 'os-stop': null }, 'SHUTOFF');
    await killOnNode(node, 'agent');
    await login.act(guest, { 'os-start': null }, 'ACTIVE');
    await login.answers(guest);
    expect([await read(), await sizes()]).toEqual([sum, { vda: GIB, vdb: GIB, vdc: 64 * MIB }]);
  });

  it('are what the flavor offers where nobody says more', async () => {
    const other = await login.guest({ flavorRef: small, config_drive: true });
    expect(await sizes(other)).toEqual({ vda: GIB, vdb: GIB, vdc: 64 * MIB });
    expect(await login.inside(other, 'sudo blkid -L ephemeral0')).toBe('/dev/vdb');
  });
});

describe('a resize', () => {
  it('makes them as large as the new flavor says, and takes all of it back', async () => {
    await login.act(guest, { resize: { flavorRef: large } }, 'VERIFY_RESIZE');
    await login.answers(guest);
    expect(await sizes()).toEqual({ vda: GIB, vdb: 2 * GIB, vdc: 128 * MIB });
    expect(await read()).toBe(sum);
    expect(await local()).toHaveLength(3);
    expect(await write()).not.toBe(sum);
    await login.act(guest, { revertResize: null }, 'ACTIVE');
    await login.answers(guest);
    expect(await sizes()).toEqual({ vda: GIB, vdb: GIB, vdc: 64 * MIB });
    expect(await read()).toBe(sum);
    expect(await local()).toHaveLength(2);
  });

  it('survives the death of its agent, and is confirmed under the running guest', async () => {
    await asks({ resize: { flavorRef: large } });
    for (let kill = 0; kill < 4; kill += 1) await killOnNode(node, 'agent');
    await login.becomes(guest, 'VERIFY_RESIZE');
    await login.answers(guest);
    await login.act(guest, { confirmResize: null }, 'ACTIVE');
    expect(await sizes()).toEqual({ vda: GIB, vdb: 2 * GIB, vdc: 128 * MIB });
    expect(await read()).toBe(sum);
    expect([await local(), await kept()]).toEqual([expect.objectContaining({ length: 2 }), '']);
  });

  it('does not make them smaller', async () => {
    await expect(asks({ resize: { flavorRef: small } })).rejects.toThrow('Unable to resize disk down');
  });

  /** The snapshots inside all of its disks. */
  const kept = (): Promise<string> =>
    scriptOnNode(node, 'for d in "$1"/*.qcow2; do qemu-img snapshot -U -l "$d"; done', folder());
  const folder = (): string => `/var/lib/yagura/agent/instances/${guest.id}`;
});

describe('what begins the server anew', () => {
  it('keeps the ephemeral disk where that is asked for', async () => {
    const before = await local();
    await login.act(guest, { rebuild: { imageRef: image('tiny-alt'), preserve_ephemeral: true } }, 'ACTIVE');
    await login.answers(guest);
    expect([await read(), await login.inside(guest, '. /etc/image; echo $IMAGE_NAME')]).toEqual([sum, 'tiny-alt']);
    const after = await local();
    expect(after.filter((name) => before.includes(name))).toHaveLength(1);
  });

  it('begins it anew otherwise', async () => {
    await login.act(guest, { rebuild: { imageRef: image('tiny') } }, 'ACTIVE');
    await login.answers(guest);
    expect([await read(), await local()]).toEqual(['gone', expect.objectContaining({ length: 2 })]);
  });

  it('drops it on the shelf, with the root disk in an image', async () => {
    await login.inside(guest, 'echo shelved > /home/tiny/mark; sync');
    await write();
    await login.act(guest, { shelve: null }, 'SHELVED_OFFLOADED');
    await login.act(guest, { unshelve: null }, 'ACTIVE');
    await login.answers(guest);
    node = String((await login.show(guest))['OS-EXT-SRV-ATTR:host'] ?? node);
    expect(await login.inside(guest, 'cat /home/tiny/mark')).toBe('shelved');
    expect([await read(), await sizes()]).toEqual(['gone', { vda: GIB, vdb: 2 * GIB, vdc: 128 * MIB }]);
  });
});

it('leaves the books balanced', async () => {
  const found = await findings();
  expect(found.filter(({ id, message }) => `${id}${message}`.includes(guest.id))).toEqual([]);
});
