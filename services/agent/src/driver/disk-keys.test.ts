import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import type { Libvirt } from '../libvirt/client.js';
import { LibvirtError, LibvirtUnreachable } from '../libvirt/errors.js';
import { ERROR_CODE, PROCEDURES, type Procedure } from '../libvirt/protocol.js';
import { keysFor, LentKeys, secretXml } from './disk-keys.js';

const [ROOT, DATA] = ['1b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b', '2b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b'];
const spec = (root: boolean, data: boolean) =>
  computeV1.ServerSpec.fromPartial({
    rootDisk: { diskId: ROOT, encrypted: root },
    localDisks: [{ diskId: DATA, encrypted: data }],
  });

describe('the keys that a server needs', () => {
  it('are asked for where something is encrypted, and only then', async () => {
    const asked: string[] = [];
    const source = async (id: string) => {
      asked.push(id);
      return { [ROOT]: 'a', [DATA]: 'b', other: 'c' };
    };
    expect((await keysFor(spec(false, false), source)).size).toBe(0);
    expect(asked).toEqual([]);
    expect([...(await keysFor(spec(true, false), source))]).toEqual([[ROOT, 'a']]);
    expect([...(await keysFor(spec(true, true), source)).keys()]).toEqual([ROOT, DATA]);
  });

  it('are waited for', async () => {
    await expect(keysFor(spec(true, true), async () => ({ [ROOT]: 'a' }))).rejects.toMatchObject({
      kind: 'unavailable',
    });
  });
});

/** What libvirt has of secrets, and at which call it fails. */
function fakeLibvirt(fails = -1) {
  const held = new Map<string, string | undefined>();
  const calls: string[] = [];
  let count = 0;
  const call = async (procedure: Procedure<unknown, unknown>, args: { uuid: string; xml: string; value: string }) => {
    if (count++ === fails) throw new LibvirtUnreachable('gone');
    calls.push(Object.entries(PROCEDURES).find(([, one]) => one === procedure)![0]);
    if (procedure === PROCEDURES.defineSecret) held.set(/<uuid>(.*)<\/uuid>/.exec(args.xml)![1]!, undefined);
    else if (procedure === PROCEDURES.setSecret) held.set(args.uuid, args.value);
    else if (!held.delete(args.uuid)) throw new LibvirtError(ERROR_CODE.noSecret, 30, 'no such secret');
  };
  return { held, calls, libvirt: { call } as unknown as Libvirt };
}
const keys = new Map([
  [ROOT, 'a'],
  [DATA, 'b'],
]);
const log = pino({ level: 'silent' });

describe('keys that are lent to libvirt', () => {
  it('are there while a domain is started, and not afterwards', async () => {
    const { held, libvirt } = fakeLibvirt();
    const during = await new LentKeys(libvirt, log).during(keys, async () => [...held]);
    expect(during).toEqual([...keys]);
    expect(held.size).toBe(0);
  });

  it('are taken back when the start fails', async () => {
    const { held, libvirt } = fakeLibvirt();
    const start = new LentKeys(libvirt, log).during(keys, () => Promise.reject(new Error('no')));
    await expect(start).rejects.toThrow('no');
    expect(held.size).toBe(0);
  });

  it.each([0, 1, 2, 3])('are taken back when libvirt goes at call %d', async (fails) => {
    const { held, libvirt } = fakeLibvirt(fails);
    let started = false;
    const start = new LentKeys(libvirt, log).during(keys, async () => {
      started = true;
    });
    await expect(start).rejects.toMatchObject({ kind: 'unavailable' });
    expect(started).toBe(false);
    expect(held.size).toBe(0);
  });

  it('are secrets that libvirt keeps in memory and tells nobody', () => {
    expect(secretXml(ROOT)).toMatch(/^<secret ephemeral="yes" private="yes">/);
  });
});
