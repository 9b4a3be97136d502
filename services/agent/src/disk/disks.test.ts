import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import { CommandFailed, type Run } from '../exec/run.js';
import { writeConfigDrive } from './config-drive.js';
import { lastLines, readConsole } from './console-log.js';
import { Instances } from './instances.js';
import { createOverlay } from './qemu-img.js';

const ID = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';
const SPEC = computeV1.ServerSpec.fromPartial({
  serverId: ID,
  adminPass: 'secret',
  userData: Buffer.from('#!'),
  image: { imageId: 'i', url: 'http://signed', sha256: 'aa', size: 1, diskFormat: 'qcow2' },
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-disks-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes what the command's output argument names, as the real one does. */
const fakeRun =
  (calls: string[][], output: (args: readonly string[]) => string): Run =>
  async (command, args) => {
    calls.push([command, ...args]);
    writeFileSync(output(args), 'made');
    return '';
  };

describe('an overlay', () => {
  it('is made under limits, with every format named, and appears complete', async () => {
    const calls: string[][] = [];
    const path = join(folder, 'disk.qcow2');
    const run = fakeRun(calls, (args) => args.at(-2)!);
    await createOverlay(run, { path }, { path: '/c/base', format: 'raw' }, 1 << 30);
    const [call] = calls;
    expect(call!.slice(0, 2)).toEqual(['prlimit', '--data=1073741824']);
    expect(call!.slice(call!.indexOf('qemu-img'))).toEqual([
      'qemu-img',
      'create',
      '-q',
      '-u',
      '-f',
      'qcow2',
      '-b',
      '/c/base',
      '-F',
      'raw',
      `${path}.part`,
      '1073741824',
    ]);
    expect(readdirSync(folder)).toEqual(['disk.qcow2']);
  });

  it('is encrypted with a key that stands in a file in memory while it is made, and nowhere else', async () => {
    const calls: string[][] = [];
    const path = join(folder, 'disk.qcow2');
    let seen: unknown;
    const run: Run = async (command, args) => {
      calls.push([command, ...args]);
      const file = /file=(.*)$/.exec(args[args.indexOf('--object') + 1]!)![1]!;
      seen = [readFileSync(file, 'utf8'), statSync(file).mode & 0o777, file.startsWith('/dev/shm/')];
      writeFileSync(args.at(-2)!, 'made');
      return '';
    };
    await createOverlay(run, { path, key: 'canary' }, { path: '/c/base', format: 'raw' }, 1 << 30);
    expect(seen).toEqual(['canary', 0o600, true]);
    const [call] = calls;
    expect(call!.join(' ')).not.toContain('canary');
    expect(call).toContain('encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10');
    expect(readdirSync('/dev/shm').filter((name) => name.startsWith('yagura-key-'))).toEqual([]);
    const fails: Run = async () => Promise.reject(new Error('no'));
    await expect(createOverlay(fails, { path, key: 'canary' }, { path: '/c', format: 'raw' }, 1)).rejects.toThrow('no');
    expect(readdirSync('/dev/shm').filter((name) => name.startsWith('yagura-key-'))).toEqual([]);
  });

  it('is not there when making it failed', async () => {
    const run: Run = async () => {
      throw new CommandFailed('prlimit', 1, 'No space left on device', undefined);
    };
    await expect(
      createOverlay(run, { path: join(folder, 'disk.qcow2') }, { path: '/c', format: 'qcow2' }, 1),
    ).rejects.toThrow('No space');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a config drive', () => {
  it('is labelled for cloud-init, and leaves nothing beside it', async () => {
    const calls: string[][] = [];
    const run = fakeRun(calls, (args) => args[args.indexOf('-o') + 1]!);
    await writeConfigDrive(run, join(folder, 'config.iso'), SPEC, { secret: 's' });
    expect(calls[0]).toEqual(expect.arrayContaining(['genisoimage', '-J', '-V', 'config-2']));
    expect(readdirSync(folder)).toEqual(['config.iso']);
  });

  it('leaves nothing when it could not be made', async () => {
    const run: Run = async () => Promise.reject(new Error('no'));
    await expect(writeConfigDrive(run, join(folder, 'config.iso'), SPEC, { secret: 's' })).rejects.toThrow('no');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('instances', () => {
  it('keep their specs over a restart, without signed addresses, for nobody else to read', async () => {
    const before = new Instances(folder);
    await before.start();
    await before.save(SPEC);
    expect(statSync(join(folder, ID, 'spec.pb')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, ID, 'spec.pb')).includes('signed')).toBe(false);
    const after = new Instances(folder);
    await after.start();
    expect(after.spec(ID)).toEqual({ ...SPEC, image: { ...SPEC.image!, url: '' } });
  });

  it('remember the image of a server whose later specs name none', async () => {
    const instances = new Instances(folder);
    await instances.start();
    await instances.save(SPEC);
    await instances.save({ ...SPEC, name: 'renamed', image: undefined });
    expect(instances.spec(ID)).toMatchObject({ name: 'renamed', image: { imageId: 'i', sha256: 'aa' } });
  });

  it('drop what an older epoch left, and nothing else', async () => {
    const instances = new Instances(folder);
    await instances.save(SPEC);
    for (const name of [
      'disk.qcow2',
      'config.iso',
      'disk-2.qcow2',
      'disk-10.qcow2',
      'ephemeral0-2.qcow2',
      'console.log',
    ])
      writeFileSync(join(folder, ID, name), '');
    await instances.dropBefore(ID, 10);
    expect(readdirSync(join(folder, ID)).sort()).toEqual(['console.log', 'disk-10.qcow2', 'spec.pb']);
    expect(instances.disk(ID, 10)).toBe(join(folder, ID, 'disk-10.qcow2'));
    expect(instances.disk(ID, 0)).toBe(instances.disk(ID, 1));
  });

  it('go away wholly, and only folders that are servers count', async () => {
    const instances = new Instances(folder);
    await instances.save(SPEC);
    mkdirSync(join(folder, 'lost+found'));
    expect(await instances.list()).toEqual([ID]);
    await instances.remove(ID);
    await instances.remove(ID);
    expect(existsSync(join(folder, ID))).toBe(false);
    expect(instances.specs()).toEqual([]);
    expect(() => instances.disk('../../etc')).toThrow('UUID');
  });
});

describe('a console log', () => {
  it.each([
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\nb\n', 5, 'a\nb\n'],
    ['\na\n', 1, 'a\n'],
    ['\na\n', 2, '\na\n'],
    ['', 3, ''],
  ])('%j: the last %d lines', (text, count, expected) => {
    expect(lastLines(Buffer.from(text), count).toString()).toBe(expected);
  });

  it('is read over its rotated parts, and is empty when there is none', async () => {
    const path = join(folder, 'console.log');
    expect((await readConsole(path, 10)).toString()).toBe('');
    writeFileSync(`${path}.1`, 'one\n');
    writeFileSync(`${path}.0`, 'two\nthree\n');
    writeFileSync(path, 'four\n');
    expect((await readConsole(path, 0)).toString()).toBe('one\ntwo\nthree\nfour\n');
    expect((await readConsole(path, 2)).toString()).toBe('three\nfour\n');
  });

  it('never reads more than a megabyte', async () => {
    const path = join(folder, 'console.log');
    writeFileSync(path, Buffer.alloc(3 << 20, 'x'));
    expect(await readConsole(path, 0)).toHaveLength(1 << 20);
  });
});
