import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import { Instances } from '../disk/instances.js';
import type { Run } from '../exec/run.js';
import type { Libvirt } from '../libvirt/client.js';
import { LibvirtError } from '../libvirt/errors.js';
import { JOB, PROCEDURES } from '../libvirt/protocol.js';
import { Backups, backupXml, targetOf } from './backups.js';
import { Domains } from './domains.js';
import { Exports } from './exports.js';

const ID = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';
const DOMAIN = { name: `instance-${ID}`, uuid: ID, id: 7 };
const forever = new AbortController().signal;
const log = pino({ level: 'silent' });
const nameOf = (number: number): string =>
  Object.entries(PROCEDURES).find(([, procedure]) => procedure.number === number)?.[0] ?? String(number);

/** A libvirt with one domain, whose backup takes some looks. */
class FakeLibvirt {
  readonly calls: string[] = [];
  state = 1;
  /** Looks until the job ends; Infinity while it is to go on. */
  looks = 2;
  end: { type: number; message: string } = { type: JOB.completed, message: '' };
  agent = true;
  target: string | undefined;
  active = false;
  #left = 0;

  async call(procedure: { number: number }, args: { flags?: number; xml?: string }): Promise<unknown> {
    const name = nameOf(procedure.number);
    this.calls.push(name);
    switch (name) {
      case 'lookupByUuid':
        return DOMAIN;
      case 'xml':
        return `<domain><disk type='file'><source file='/c'/><target dev='sda'/></disk><disk type='file'>
          <source file='${join(folder, 'disk')}' index='1'/><target dev='vdb' bus='virtio'/></disk></domain>`;
      case 'state':
        return { state: this.state, reason: 1 };
      case 'backupBegin':
        writeFileSync(/file='([^']+)'|file="([^"]+)"/.exec(args.xml!)!.slice(1).find(Boolean)!, 'copied');
        this.target = /disk name="([^"]+)"/.exec(args.xml!)?.[1];
        this.active = true;
        this.#left = this.looks;
        return undefined;
      case 'abortJob':
        this.active = false;
        return undefined;
      case 'freeze':
        if (!this.agent) throw new LibvirtError(86, 10, 'the agent is not there');
        return 1;
      case 'thaw':
        if (!this.agent) throw new LibvirtError(86, 10, 'the agent is not there');
        return 1;
      case 'jobStats':
        if (args.flags === JOB.askCompleted) return { ...this.end, operation: JOB.backup };
        this.#left -= 1;
        if (this.#left < 0) this.active = false;
        return this.active
          ? { type: JOB.unbounded, operation: JOB.backup, message: '' }
          : { type: JOB.none, operation: 0, message: '' };
      default:
        return 0;
    }
  }
}

let folder: string;
let instances: Instances;
let libvirt: FakeLibvirt;
let exports: Exports;
let ran: string[][];
let server: Server;
let url: string;
let sent: string[];
let answer: number;
/** What lies in the server's folder beside its disk. */
const beside = () => readdirSync(join(folder, ID)).filter((name) => name.startsWith('copy'));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-exports-'));
  instances = new Instances(folder);
  await instances.save(computeV1.ServerSpec.fromPartial({ serverId: ID }));
  for (const name of ['disk', 'base']) writeFileSync(join(folder, name), 'x');
  ran = [];
  const run: Run = async (command, args) => {
    ran.push([command, ...args]);
    writeFileSync(args.at(-1)!, 'flattened');
    return '';
  };
  libvirt = new FakeLibvirt();
  open(run);
  sent = [];
  answer = 204;
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      sent.push(text);
      response.writeHead(answer).end(JSON.stringify({ message: 'no' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/blobs/x`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function open(run: Run, reserveBytes = 0): void {
  const asLibvirt = libvirt as unknown as Libvirt;
  const domains = new Domains(asLibvirt, log, 1);
  exports = new Exports({ instances, run, log, reserveBytes }, domains, new Backups(asLibvirt, log));
}
const make = (part: Partial<computeV1.Export> = {}, signal = forever) => {
  const wanted = { imageId: 'i', uploadUrl: url, quiesce: '', trouble: '', ...part };
  const disk = { path: join(folder, 'disk'), basePath: join(folder, 'base'), baseFormat: 'qcow2' } as const;
  return exports.make(computeV1.ServerSpec.fromPartial({ serverId: ID, export: wanted }), disk, signal);
};

describe('a copy of a disk', () => {
  it('is taken of a running guest by a backup job of its root disk alone', async () => {
    await make();
    expect(libvirt.target).toBe('vdb');
    expect(sent).toEqual(['copied']);
    expect(beside()).toEqual([]);
    expect(libvirt.calls).toContain('backupBegin');
    expect(libvirt.calls).not.toContain('freeze');
    expect(ran).toEqual([]);
    expect(backupXml('vdb', '/a b')).toMatchInlineSnapshot(`
      "<domainbackup mode="push">
        <disks>
          <disk name="vdb" backup="yes" type="file">
            <driver type="qcow2"/>
            <target file="/a b"/>
          </disk>
        </disks>
      </domainbackup>
      "
    `);
  });

  it('is refused where the guest runs without the disk', () => {
    expect(() => targetOf('<domain/>', '/x')).toThrow('does not have its disk');
  });

  it('is taken of a guest that is off with every format named, under limits', async () => {
    libvirt.state = 5;
    await make();
    expect(sent).toEqual(['flattened']);
    expect(libvirt.calls).not.toContain('backupBegin');
    const [call] = ran;
    expect(call!.slice(0, 2)).toEqual(['prlimit', '--data=1073741824']);
    expect(call!.slice(call!.indexOf('qemu-img'))).toEqual([
      ...['qemu-img', 'convert', '-q', '-f', 'qcow2', '-O', 'qcow2', join(folder, 'disk')],
      instances.copy(ID),
    ]);
    expect(beside()).toEqual([]);
  });

  it('is tried again of a guest that goes off meanwhile, whatever libvirt says first', async () => {
    const call = libvirt.call.bind(libvirt);
    libvirt.call = async (procedure, args) => {
      if (nameOf(procedure.number) === 'jobStats' && libvirt.active) {
        throw new LibvirtError(1, 10, 'Unable to read from monitor: Connection reset by peer');
      }
      return call(procedure, args);
    };
    await expect(make()).rejects.toMatchObject({ kind: 'unavailable' });
    Object.assign(libvirt, { active: false, state: 5 });
    await make();
    expect(sent).toEqual(['flattened']);
  });

  it('is not made where the image has its bytes already, nor where it is gone', async () => {
    await make({ uploadUrl: '' });
    await expect(make({ trouble: 'the image was deleted' })).rejects.toMatchObject({ kind: 'conflict' });
    expect([libvirt.calls, sent]).toEqual([[], []]);
  });

  it('freezes the guest for the moment of the copy alone', async () => {
    await make({ quiesce: 'try' });
    const order = libvirt.calls.filter((name) => ['agentTimeout', 'freeze', 'backupBegin', 'thaw'].includes(name));
    expect(order).toEqual(['agentTimeout', 'freeze', 'backupBegin', 'thaw']);
  });

  it('goes on without a freeze where that is only wished for, and not where it is required', async () => {
    libvirt.agent = false;
    await make({ quiesce: 'try' });
    expect(sent).toHaveLength(1);
    await expect(make({ quiesce: 'require' })).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('can not be frozen'),
    });
    expect([sent.length, beside()]).toEqual([1, []]);
  });

  it.each([
    [{ type: JOB.failed, message: 'No space left on device' }, { code: 'ENOSPC' }],
    [
      { type: JOB.failed, message: 'broken' },
      { kind: 'conflict', message: 'the disk could not be copied: broken' },
    ],
    [{ type: JOB.failed, message: '' }, { kind: 'unavailable' }],
    [{ type: 5, message: '' }, { kind: 'unavailable' }],
  ])('leaves nothing when its job ends with %j', async (end, error) => {
    libvirt.end = end;
    await expect(make()).rejects.toMatchObject(error);
    expect([sent, beside()]).toEqual([[], []]);
  });

  it('ends its job and leaves nothing when it is called off', async () => {
    libvirt.looks = Number.POSITIVE_INFINITY;
    const abort = new AbortController();
    const making = make({}, abort.signal);
    await expect.poll(() => libvirt.active, { timeout: 5_000 }).toBe(true);
    abort.abort(new Error('superseded'));
    await expect(making).rejects.toThrow('superseded');
    expect([libvirt.active, beside(), sent]).toEqual([false, [], []]);
  });

  it('leaves nothing when the image service does not take it', async () => {
    answer = 413;
    await expect(make()).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining('no') });
    expect(beside()).toEqual([]);
  });

  it('says so when there is no room, before it begins', async () => {
    open(async () => '', Number.MAX_SAFE_INTEGER);
    await expect(make()).rejects.toMatchObject({ kind: 'overQuota', message: expect.stringContaining('no room') });
    expect(libvirt.calls).not.toContain('backupBegin');
  });

  it('clears what a dead agent left: its job, its frozen guest, its file', async () => {
    writeFileSync(instances.copy(ID), 'half');
    libvirt.active = true;
    libvirt.looks = Number.POSITIVE_INFINITY;
    await libvirt.call(PROCEDURES.backupBegin, { xml: backupXml('vda', instances.copy(ID)) });
    libvirt.calls.length = 0;
    await exports.clear(ID);
    expect(libvirt.calls).toEqual(expect.arrayContaining(['abortJob', 'thaw']));
    expect([libvirt.active, existsSync(instances.copy(ID))]).toEqual([false, false]);
    libvirt.calls.length = 0;
    await exports.clear(ID);
    expect(libvirt.calls).toEqual([]);
  });
});
