/** Encrypted disks in a resize and its revert, and beside a rescue. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killOnNode } from '../network/lab/node.js';
import { EncryptedGuest } from './encrypted-guest.fixture.js';

const GIB = 2 ** 30;

let one: EncryptedGuest;
let node = '';

beforeAll(async () => {
  one = await EncryptedGuest.open('encrypted-changes', '10.85.0.0/24');
  ({ node } = one);
  await one.write();
});
afterAll(() => one.lab.close());

it('are had back after a resize, and kept after another', async () => {
  const before = await one.keys();
  await one.act({ resize: { flavorRef: one.large } }, 'VERIFY_RESIZE');
  expect([await one.read(), (await one.kinds()).every((kind) => kind === 'luks')]).toEqual([one.both, true]);
  await one.keys();
  await one.inside('echo later > /home/tiny/mark; sync');
  await one.act({ revertResize: null }, 'ACTIVE');
  expect([await one.read(), await one.keys()]).toEqual([one.both, before]);
  await one.asks({ resize: { flavorRef: one.large } });
  await killOnNode(node, 'agent');
  await one.login.becomes(one.guest, 'VERIFY_RESIZE');
  await one.login.answers(one.guest);
  await one.login.act(one.guest, { confirmResize: null }, 'ACTIVE');
  await one.act({ reboot: { type: 'HARD' } }, 'ACTIVE');
  expect([await one.read(), await one.found()]).toEqual([one.both, 0]);
  expect(await one.inside('cat /sys/block/vdb/size')).toBe(String((2 * GIB) / 512));
});

it('are rescued, with the rescue as secret as they are', async () => {
  await one.act({ rescue: { rescue_image_ref: one.image('tiny-alt') } }, 'RESCUE');
  await one.inside(`echo ${one.mark} > /home/tiny/mark; sudo mkdir -p /tmp/old; sync`);
  await one.inside('sudo mount -t ext4 -o ro /dev/vdb2 /tmp/old');
  expect(await one.inside('sudo cat /tmp/old/home/tiny/mark')).toBe(one.mark);
  expect([await one.found(), await one.kinds()]).toEqual([0, Array(4).fill('luks')]);
  await one.act({ unrescue: null }, 'ACTIVE');
});
