import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Run } from '../exec/run.js';
import { Instances } from './instances.js';
import { DiskUndo } from './undo.js';

const ID = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';

/** What qemu-img knows of one disk: its contents, its size, and both at each snapshot. */
interface Model {
  bytes: number;
  contents: string;
  snapshots: Map<string, { bytes: number; contents: string }>;
}

let folder: string;
let path: string;
let instances: Instances;
let undo: DiskUndo;
let disk: Model;
/** Commands until the process is killed: before the command is carried out, or after. */
let killAfter: number;
let killed: 'before' | 'after';
let names: string[];
/** Which disk a name means. */
let choose: (name: string) => Model;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-undo-'));
  mkdirSync(join(folder, ID));
  path = join(folder, ID, 'disk.qcow2');
  const header = Buffer.alloc(104);
  header.writeUInt32BE(0x514649fb, 0);
  header.writeUInt32BE(3, 4);
  writeFileSync(path, header);
  instances = new Instances(folder);
  undo = new DiskUndo(run, instances);
  disk = { bytes: 1, contents: 'old', snapshots: new Map() };
  killAfter = Number.POSITIVE_INFINITY;
  names = [];
  choose = () => disk;
});
afterEach(() => rmSync(folder, { recursive: true }));

const run: Run = async (_command, args) => {
  const list = args.slice(args.indexOf('qemu-img') + 1);
  const name = list.find((arg) => arg.startsWith('json:'))!;
  names.push(name);
  killAfter -= 1;
  if (killAfter < 0 && killed === 'before') throw new Error('killed');
  const answer = act(list, choose(name));
  if (killAfter < 0) throw new Error('killed');
  return answer;
};

function act(list: readonly string[], disk: Model): string {
  const [verb, , letter, tag = ''] = list;
  const snapshots = [...disk.snapshots.keys()].map((name) => ({ name }));
  if (verb === 'info')
    return JSON.stringify({ 'virtual-size': disk.bytes, ...(snapshots.length ? { snapshots } : {}) });
  if (verb === 'resize') disk.bytes = Number(list.at(-1));
  else if (letter === '-c') disk.snapshots.set(tag, { bytes: disk.bytes, contents: disk.contents });
  else if (letter === '-a') Object.assign(disk, disk.snapshots.get(tag)!);
  else if (!disk.snapshots.delete(tag)) throw new Error('snapshot not found');
  return '';
}

const settle = async (word: string, epoch: number): Promise<void> => {
  await undo.settle(ID, word, epoch, [{ path }]);
  if (word === 'keep') await undo.grow({ path }, 2);
};
const marks = () => readdirSync(join(folder, ID)).filter((name) => name.startsWith('undo.'));

describe('the disks before a resize', () => {
  it('are kept, and had back with their size', async () => {
    expect(await undo.needsOff(ID, 'keep', 1)).toBe(true);
    await settle('keep', 1);
    expect([disk.bytes, await undo.needsOff(ID, 'keep', 1), await undo.needsOff(ID, 'restore', 1)]).toEqual([
      2,
      false,
      true,
    ]);
    disk.contents = 'new';
    await settle('keep', 1);
    await settle('restore', 1);
    expect([disk.bytes, disk.contents, disk.snapshots.size, marks()]).toEqual([1, 'old', 0, []]);
    disk.contents = 'newer';
    await settle('restore', 1);
    expect([disk.contents, await undo.needsOff(ID, 'restore', 1)]).toEqual(['newer', false]);
  });

  it('are forgotten when nobody wants them back', async () => {
    await settle('keep', 1);
    disk.contents = 'new';
    expect(await undo.hasLeftovers(ID, '')).toBe(true);
    await settle('', 1);
    expect([disk.bytes, disk.contents, disk.snapshots.size, marks()]).toEqual([2, 'new', 0, []]);
    names = [];
    await settle('', 1);
    expect(names).toEqual([]);
  });

  it('are not mistaken for those before another resize', async () => {
    await settle('keep', 1);
    disk.contents = 'second';
    expect(await undo.needsOff(ID, 'keep', 2)).toBe(true);
    await settle('keep', 2);
    disk.contents = 'third';
    await settle('restore', 1);
    expect(disk.contents).toBe('third');
    await settle('keep', 3);
    disk.contents = 'fourth';
    await settle('restore', 3);
    expect(disk.contents).toBe('third');
  });

  it.each(['before', 'after'] as const)('survive being killed %s each command, in every direction', async (moment) => {
    killed = moment;
    for (const last of ['restore', ''] as const)
      for (let at = 0; at < 12; at++) {
        await undo.settle(ID, '', 0, [{ path }]);
        await instances.unmarkUndo(ID);
        Object.assign(disk, { bytes: 1, contents: 'old', snapshots: new Map() });
        killAfter = at;
        await settle('keep', 7).catch(() => undefined);
        killAfter = Number.POSITIVE_INFINITY;
        expect(disk.contents).toBe('old');
        await settle('keep', 7);
        disk.contents = 'new';
        killAfter = at;
        await settle(last, 7).catch(() => undefined);
        killAfter = Number.POSITIVE_INFINITY;
        await settle(last, 7);
        const end = last === 'restore' ? { bytes: 1, contents: 'old' } : { bytes: 2, contents: 'new' };
        expect([disk, disk.snapshots.size, marks()]).toMatchObject([end, 0, []]);
      }
  });

  it('are not looked for in a disk that was not there when they were kept', async () => {
    await settle('keep', 1);
    disk.contents = 'new';
    const late = join(folder, ID, 'late.qcow2');
    writeFileSync(late, readFileSync(path));
    const kept = disk;
    const models = new Map([[late, { bytes: 5, contents: 'other', snapshots: new Map() }]]);
    choose = (name) => models.get(JSON.parse(name.slice(5)).file.filename) ?? kept;
    await undo.settle(ID, 'restore', 1, [{ path }, { path: late }]);
    expect([kept.contents, models.get(late)!.contents, marks()]).toEqual(['old', 'other', []]);
  });

  it('are opened with their key where they are encrypted, which no command line shows', async () => {
    let args: readonly string[] = [];
    const spy: Run = async (command, list) => {
      args = list;
      return run(
        command,
        list.filter((arg, index) => arg !== '--object' && list[index - 1] !== '--object'),
      );
    };
    await new DiskUndo(spy, instances).settle(ID, 'keep', 1, [{ path, key: 'canary' }]);
    expect(JSON.parse(names.at(-1)!.slice(5))).toMatchObject({ encrypt: { format: 'luks', 'key-secret': 'key' } });
    expect(args.join(' ')).toMatch(/--object secret,id=key,file=\/dev\/shm\/yagura-key-\w+\/key /);
    expect(args.join(' ')).not.toContain('canary');
  });

  it('are opened alone, whatever their headers name', async () => {
    await settle('keep', 1);
    const file = { driver: 'file', filename: path };
    for (const name of names) expect(JSON.parse(name.slice(5))).toEqual({ driver: 'qcow2', file, backing: null });
    const header = Buffer.alloc(104);
    header.writeUInt32BE(3, 4);
    header.writeBigUInt64BE(4n, 72);
    writeFileSync(path, header);
    await expect(settle('restore', 1)).rejects.toThrow('names another file');
  });
});
