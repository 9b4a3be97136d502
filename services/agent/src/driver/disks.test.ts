import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import type { ImageCache, ImageRequest } from '../disk/image-cache.js';
import { Instances } from '../disk/instances.js';
import type { Run } from '../exec/run.js';
import { Disks } from './disks.js';

const ID = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';
const forever = new AbortController().signal;
const image = (imageId: string) => ({ imageId, url: 'http://signed', sha256: 'aa', size: 1, diskFormat: 'qcow2' });
const spec = (diskEpoch: number, imageId?: string) =>
  computeV1.ServerSpec.fromPartial({
    ...{ serverId: ID, diskEpoch, diskGb: 1, configDrive: true },
    ...(imageId ? { image: image(imageId) } : {}),
  });

let folder: string;
let instances: Instances;
let disks: Disks;
let calls: string[] = [];
/** A command fails that has this among its arguments. */
let broken = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-disks-'));
  calls = [];
  broken = '';
  instances = new Instances(folder);
  const run: Run = async (_command, args) => {
    if (broken && args.some((arg) => arg.includes(broken))) throw new Error('killed');
    calls.push(args.join(' '));
    if (args.at(-1)?.endsWith('.raw')) return '';
    if (args.includes('convert')) writeFileSync(args.at(-1)!, 'made');
    const output = args.includes('-o') ? args[args.indexOf('-o') + 1] : args.at(-2);
    writeFileSync(output!, 'made');
    return '';
  };
  const images = {
    start: async () => undefined,
    acquire: async ({ imageId }: ImageRequest) => `/base/${imageId}`,
    pathOf: ({ imageId }: ImageRequest) => `/base/${imageId}`,
    evict: async () => 0,
  } as unknown as ImageCache;
  disks = new Disks({ instances, images, run, log: pino({ level: 'silent' }), secret: 's' });
  await disks.start();
});
afterEach(() => {
  disks.stop();
  rmSync(folder, { recursive: true });
});

const files = () => readdirSync(join(folder, ID)).sort();
async function make(asked: computeV1.ServerSpec): Promise<void> {
  await instances.save(asked);
  await disks.prepare(asked, new Map(), forever);
}

describe('the disks of a server', () => {
  it('are made once, and stay through specs that name no image any more', async () => {
    expect(await disks.areDue(spec(1, 'first'))).toBe(true);
    await make(spec(1, 'first'));
    await make(spec(1));
    expect(files()).toEqual(['config.iso', 'disk.qcow2', 'spec.pb']);
    expect(calls.filter((call) => call.includes('qemu-img'))).toHaveLength(1);
    expect(disks.of(spec(1))).toMatchObject({ path: join(folder, ID, 'disk.qcow2'), basePath: '/base/first' });
    expect(await disks.areDue(spec(1))).toBe(false);
  });

  it('are made anew when a higher epoch is asked, from the image it names', async () => {
    await make(spec(1, 'first'));
    expect(await disks.areDue(spec(2, 'second'))).toBe(true);
    await make(spec(2, 'second'));
    expect(files()).toEqual(['config-2.iso', 'disk-2.qcow2', 'spec.pb']);
    expect(disks.of(spec(2))).toMatchObject({ path: join(folder, ID, 'disk-2.qcow2'), basePath: '/base/second' });
    expect(await disks.areDue(spec(2, 'second'))).toBe(false);
  });

  it.each([
    ['the disk', 'disk-2', ['config.iso', 'disk.qcow2', 'spec.pb']],
    ['the drive', 'config-2', ['config.iso', 'disk-2.qcow2', 'disk.qcow2', 'spec.pb']],
  ])('keep the old disk until the new one is complete: cut off at %s', async (_what, at, left) => {
    await make(spec(1, 'first'));
    broken = at === 'config-2' ? 'genisoimage' : at;
    if (at === 'config-2') broken = '.config-';
    await expect(make(spec(2, 'second'))).rejects.toThrow('killed');
    expect(files()).toEqual(left);
    broken = '';
    await make(spec(2, 'second'));
    expect(files()).toEqual(['config-2.iso', 'disk-2.qcow2', 'spec.pb']);
  });

  it('have a rescue disk and a drive beside them as long as the server is rescued', async () => {
    await make(spec(1, 'first'));
    const rescued = (epoch: number, properties = {}) => ({
      ...spec(1),
      rescue: { image: { ...image('rescue'), virtualSize: 64 << 20 }, properties, epoch },
    });
    await make(rescued(3));
    expect(files()).toEqual(['config.iso', 'disk.qcow2', 'rescue.3.iso', 'rescue.3.qcow2', 'spec.pb']);
    expect(calls.some((call) => call.endsWith(`rescue.3.qcow2.part ${64 << 20}`))).toBe(true);
    const disk = { path: join(folder, ID, 'rescue.3.qcow2'), basePath: '/base/rescue', baseFormat: 'qcow2' };
    expect(disks.rescueOf(rescued(3))).toEqual({ disk, beside: undefined });
    expect(disks.configDrive(rescued(3))).toBe(join(folder, ID, 'rescue.3.iso'));
    expect(disks.rescueOf(rescued(3, { hw_rescue_bus: 'usb' }))?.beside).toEqual({ device: 'disk', bus: 'usb' });
    expect(disks.rescueOf(rescued(3, { hw_rescue_device: 'cdrom' }))?.beside).toEqual({ device: 'cdrom', bus: 'scsi' });
    expect(instances.spec(ID)?.rescue?.image?.url).toBe('');
    await make(rescued(4));
    expect(files()).toEqual(['config.iso', 'disk.qcow2', 'rescue.4.iso', 'rescue.4.qcow2', 'spec.pb']);
    await make(spec(1));
    expect(files()).toEqual(['config.iso', 'disk.qcow2', 'spec.pb']);
    expect(disks.of(spec(1)).basePath).toBe('/base/first');
  });

  it('come with disks beside the root disk, formatted, and made once', async () => {
    const [one, two] = ['1b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b', '2b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b'];
    const disk = (diskId: string, kind: string, format: string, more = {}) =>
      computeV1.LocalDisk.fromPartial({ diskId, kind, format, sizeMb: 64, ...more });
    const asked = { ...spec(1, 'first'), localDisks: [disk(one, 'ephemeral', 'vfat'), disk(two, 'swap', 'swap')] };
    await make(asked);
    const all = ['config.iso', 'disk.qcow2', `local.${one}.qcow2`, `local.${two}.qcow2`, 'spec.pb'];
    expect(files()).toEqual(all);
    expect(calls).toContain(`-n ephemeral0 ${join(folder, ID, `local.${one}.qcow2.raw`)}`);
    const count = calls.length;
    await make(asked);
    expect([calls.length, files()]).toEqual([count, all]);
    expect(disks.localOf({ ...asked, localDisks: [disk(one, 'ephemeral', '', { bus: 'scsi' })] })).toEqual([
      { path: join(folder, ID, `local.${one}.qcow2`), bus: 'scsi', serial: one.slice(0, 20) },
    ]);
    await make({ ...asked, localDisks: [disk(one, 'ephemeral', 'vfat', { made: true })] });
    expect(files()).toEqual(all.filter((name) => !name.includes(two)));
    const lost = { ...asked, localDisks: [disk(two, 'ephemeral', '', { made: true })] };
    await expect(make(lost)).rejects.toThrow('is not on this node');
    expect(() => disks.localOf({ ...asked, localDisks: [disk(one, 'swap', '', { bus: 'fdc' })] })).toThrow('fdc');
  });

  it('are not made without an image', async () => {
    await expect(make(spec(2))).rejects.toThrow('no image is named');
  });
});
