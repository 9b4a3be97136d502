/**
 * What becomes of a guest's disk: a rebuild begins a new one, a rescue leaves it alone and shows it as the second, a resize
 * keeps its data and a revert takes back what came after it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delay } from '#libs/kernel';
import { findings } from '../client.js';
import { Lab } from '../network/lab/lab.js';
import { killOnNode, scriptOnNode } from '../network/lab/node.js';
import { type Guest, Login } from './login.js';

const KEEP = '/home/tiny/keep';

let lab: Lab;
let login: Login;
let guest: Guest;
let sum = '';

/** Ids by names. */
let image: (name: string) => string;
let nano = '';

beforeAll(async () => {
  lab = await Lab.open('disk', ['node-1']);
  login = await Login.open(lab, 'lab-disk', '10.75.0.0/24');
  image = await lab.imageIds();
  const { flavors } = await lab.compute<{ flavors: { id: string; name: string }[] }>('GET', '/flavors');
  nano = flavors.find(({ name }) => name === 'm1.nano')!.id;
  guest = await login.guest();
  sum = await write(guest);
});
afterAll(() => lab.close());

/** Writes something that nobody else would; returns its checksum. */
const write = (to: Guest): Promise<string> =>
  login.inside(to, `head -c 2000000 /dev/urandom > ${KEEP}; sync; sha256sum < ${KEEP}`);
const read = (of: Guest, path = KEEP): Promise<string> => login.inside(of, `sha256sum < ${path}`);

describe('a rescue', () => {
  it('boots from another image, with the disk as the second', async () => {
    const rescue = { rescue: { adminPass: 'other', rescue_image_ref: image('tiny-alt') } };
    expect(await login.act(guest, rescue, 'RESCUE')).toEqual({ adminPass: 'other' });
    await login.answers(guest);
    expect(await login.inside(guest, '. /etc/image; echo $IMAGE_NAME')).toBe('tiny-alt');
    await login.inside(guest, 'sudo mkdir -p /tmp/old; sudo mount -t ext4 -o ro /dev/vdb2 /tmp/old');
    expect(await login.inside(guest, 'sudo sha256sum < /tmp/old/home/tiny/keep')).toBe(sum);
    await login.inside(guest, 'sudo umount /tmp/old; sudo mount -t ext4 /dev/vdb2 /tmp/old');
    await login.inside(guest, 'sudo sh -c "echo mended > /tmp/old/home/tiny/mended"; sudo umount /tmp/old');
  });

  it('refuses everything but going back', async () => {
    for (const action of [{ reboot: { type: 'HARD' } }, { 'os-stop': null }, { rescue: null }])
      await expect(lab.compute('POST', `/servers/${guest.id}/action`, action)).rejects.toThrow('409');
  });

  it('goes back to its own disk, with what was mended there', async () => {
    await login.act(guest, { unrescue: null }, 'ACTIVE');
    await login.answers(guest);
    expect(await login.inside(guest, '. /etc/image; echo $IMAGE_NAME')).toBe('tiny');
    expect([await read(guest), await login.inside(guest, 'cat /home/tiny/mended')]).toEqual([sum, 'mended']);
  });
});

describe('a rebuild', () => {
  it('begins a new disk from the image, with the address and the key as before', async () => {
    await login.act(guest, { rebuild: { imageRef: image('tiny-alt') } }, 'ACTIVE');
    await login.answers(guest);
    expect(await login.inside(guest, `. /etc/image; echo $IMAGE_NAME; ls ${KEEP} 2>/dev/null || echo gone`)).toBe(
      'tiny-alt\ngone',
    );
    sum = await write(guest);
  });

  it('leaves a stopped server stopped', async () => {
    await login.act(guest, { 'os-stop': null }, 'SHUTOFF');
    await login.act(guest, { rebuild: { imageRef: image('tiny') } }, 'SHUTOFF');
    await login.act(guest, { 'os-start': null }, 'ACTIVE');
    await login.answers(guest);
    expect(await login.inside(guest, `ls ${KEEP} 2>/dev/null || echo gone`)).toBe('gone');
  });
});

describe('a resize', () => {
  const BIG = { ram: 256, vcpus: 2, disk: 2 };
  /** What the guest sees of its machine: processors, MB of memory (a little less than it has), sectors of its disk. */
  const machine = async (): Promise<number[]> =>
    (await login.inside(guest, "nproc; awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo; cat /sys/block/vda/size"))
      .split('\n')
      .map(Number);
  const GIB_SECTORS = 2 ** 21;
  let big = '';

  beforeAll(async () => {
    const flavor = { name: `lab-disk-${Date.now()}`, ...BIG };
    big = (await lab.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor }, 'admin')).flavor.id;
    lab.afterwards(() => lab.compute('DELETE', `/flavors/${big}`, undefined, 'admin'));
    sum = await write(guest);
  });

  it('starts it in its new shape, with its data', async () => {
    await login.act(guest, { resize: { flavorRef: big } }, 'VERIFY_RESIZE');
    await login.answers(guest);
    const [cpus, memory, sectors] = await machine();
    expect([cpus, sectors]).toEqual([2, 2 * GIB_SECTORS]);
    expect(memory).toBeGreaterThan(128);
    expect(await read(guest)).toBe(sum);
  });

  it('takes back what came after it when it is reverted', async () => {
    const after = await write(guest);
    expect(after).not.toBe(sum);
    await login.inside(guest, 'sudo sh -c "echo end | dd of=/dev/vda seek=3000000 count=1 2>/dev/null"; sync');
    await login.act(guest, { revertResize: null }, 'ACTIVE');
    await login.answers(guest);
    const [cpus, memory, sectors] = await machine();
    expect([cpus, sectors]).toEqual([1, GIB_SECTORS]);
    expect(memory).toBeLessThan(128);
    expect(await read(guest)).toBe(sum);
  });

  it('keeps what came after it when it is confirmed, under the running guest', async () => {
    await login.act(guest, { resize: { flavorRef: big } }, 'VERIFY_RESIZE');
    await login.answers(guest);
    sum = await write(guest);
    const uptime = Number((await login.inside(guest, 'cat /proc/uptime')).split(' ')[0]);
    await login.act(guest, { confirmResize: null }, 'ACTIVE');
    expect(Number((await login.inside(guest, 'cat /proc/uptime')).split(' ')[0])).toBeGreaterThan(uptime);
    expect(await kept()).toBe('');
    expect(await read(guest)).toBe(sum);
    await login.act(guest, { reboot: { type: 'HARD' } }, 'ACTIVE');
    await login.answers(guest);
    expect([(await machine())[0], await read(guest)]).toEqual([2, sum]);
  });

  it('survives the death of its agent on the way there and on the way back', async () => {
    const { flavor } = await lab.compute<{ flavor: { id: string } }>(
      'POST',
      '/flavors',
      { flavor: { name: `lab-disk-more-${Date.now()}`, ...BIG, ram: 320, disk: 3 } },
      'admin',
    );
    lab.afterwards(() => lab.compute('DELETE', `/flavors/${flavor.id}`, undefined, 'admin'));
    const asks = (action: object) => lab.compute('POST', `/servers/${guest.id}/action`, action);
    await asks({ resize: { flavorRef: flavor.id } });
    await killsUntil('VERIFY_RESIZE');
    await login.answers(guest);
    expect([(await machine())[2], await read(guest)]).toEqual([3 * GIB_SECTORS, sum]);
    await write(guest);
    await asks({ revertResize: null });
    await killsUntil('ACTIVE');
    await login.answers(guest);
    expect([(await machine())[2], await read(guest)]).toEqual([2 * GIB_SECTORS, sum]);
    expect(await kept()).toBe('');
  });

  /** Kills the agent again and again until the server is so. */
  async function killsUntil(status: string): Promise<void> {
    const end = Date.now() + 120_000;
    const node = await login.node(guest);
    let kills = 0;
    while ((await login.show(guest))['status'] !== status) {
      if (Date.now() > end) throw new Error(`the server is not ${status} after ${kills} kills of its agent`);
      if (kills < 8) await killOnNode(node, 'agent');
      kills += 1;
      await delay(900);
    }
    expect(kills).toBeGreaterThan(0);
  }

  it('leaves a stopped server stopped', async () => {
    await login.act(guest, { 'os-stop': null }, 'SHUTOFF');
    await expect(lab.compute('POST', `/servers/${guest.id}/action`, { resize: { flavorRef: nano } })).rejects.toThrow(
      'Unable to resize disk down',
    );
    const wide = { name: `lab-disk-wide-${Date.now()}`, ...BIG, disk: 3 };
    const { flavor } = await lab.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor: wide }, 'admin');
    lab.afterwards(() => lab.compute('DELETE', `/flavors/${flavor.id}`, undefined, 'admin'));
    await login.act(guest, { resize: { flavorRef: flavor.id } }, 'VERIFY_RESIZE');
    expect(await kept()).toContain('undo-');
    await login.act(guest, { confirmResize: null }, 'SHUTOFF');
    expect(await kept()).toBe('');
    await login.act(guest, { 'os-start': null }, 'ACTIVE');
    await login.answers(guest);
    expect([(await machine())[2], await read(guest)]).toEqual([3 * GIB_SECTORS, sum]);
  });

  it('to what fits nowhere leaves it as it was', async () => {
    const huge = { name: `lab-disk-huge-${Date.now()}`, ram: 4_000_000, vcpus: 2, disk: 3 };
    const { flavor } = await lab.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor: huge }, 'admin');
    lab.afterwards(() => lab.compute('DELETE', `/flavors/${flavor.id}`, undefined, 'admin'));
    const quota = `/os-quota-sets/${lab.projectId}`;
    await lab.compute('PUT', quota, { quota_set: { ram: -1 } }, 'admin');
    lab.afterwards(() => lab.compute('DELETE', quota, undefined, 'admin'));
    await lab.compute('POST', `/servers/${guest.id}/action`, { resize: { flavorRef: flavor.id } });
    await login.becomes(guest, 'ACTIVE');
    const { instanceActions } = await lab.compute<{ instanceActions: { action: string; message: string | null }[] }>(
      'GET',
      `/servers/${guest.id}/os-instance-actions`,
    );
    expect(instanceActions[0]).toMatchObject({ action: 'resize', message: 'Error' });
    expect(await read(guest)).toBe(sum);
  });

  /** What qemu-img finds inside the disk. */
  async function kept(): Promise<string> {
    const path = `/var/lib/yagura/agent/instances/${guest.id}`;
    const node = await login.node(guest);
    return scriptOnNode(node, 'for d in "$1"/disk*.qcow2; do qemu-img snapshot -U -l "$d"; done', path);
  }
});

it('leaves the books balanced', async () => {
  const found = await findings();
  expect(found.filter(({ id, message }) => `${id}${message}`.includes(guest.id))).toEqual([]);
});
