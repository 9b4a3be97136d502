/**
 * What becomes of a guest's disk: a rebuild begins a new one, a rescue leaves it alone and shows it as the second, a resize
 * keeps its data and a revert takes back what came after it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings } from '../client.js';
import { Lab } from '../network/lab/lab.js';
import { type Guest, Login } from './login.js';

const KEEP = '/home/tiny/keep';

let lab: Lab;
let login: Login;
let guest: Guest;
let sum = '';

/** Of an image by its name. */
let image: (name: string) => string;

beforeAll(async () => {
  lab = await Lab.open('disk', ['node-1']);
  login = await Login.open(lab, 'lab-disk', '10.75.0.0/24');
  image = await lab.imageIds();
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

it('leaves the books balanced', async () => {
  const found = await findings();
  expect(found.filter(({ id, message }) => `${id}${message}`.includes(guest.id))).toEqual([]);
});
