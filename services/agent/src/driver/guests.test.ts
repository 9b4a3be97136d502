import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { Libvirt } from '../libvirt/client.js';
import { LibvirtError, LibvirtUnreachable } from '../libvirt/errors.js';
import { PROCEDURES } from '../libvirt/protocol.js';
import { XdrWriter } from '../libvirt/xdr.js';
import { Guests } from './guests.js';

const ID = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';
const DOMAIN = { name: `instance-${ID}`, uuid: ID, id: 7 };

let failure: Error | undefined;
let called: number[] = [];
const libvirt = {
  call: async ({ number }: { number: number }) => {
    called.push(number);
    if (number === PROCEDURES.lookupByUuid.number) return DOMAIN;
    if (failure) throw failure;
    return undefined;
  },
} as unknown as Libvirt;
const { signal } = new AbortController();
const guests = new Guests(libvirt, pino({ level: 'silent' }), { forMs: 0, everyMs: 1 });

it('says the user and the password to libvirt, and that the guest has so long', async () => {
  called = [];
  await guests.setPassword(ID, 'root', 'sésame', signal);
  expect(called.slice(1)).toEqual([PROCEDURES.agentTimeout.number, 357]);
  const body = PROCEDURES.setUserPassword.write(new XdrWriter(), { domain: DOMAIN, user: 'root', password: 'sésame' });
  const [user, password] = ['root', 'sésame'].map((text) => Buffer.from(text));
  const tail = new XdrWriter().uint(1).uint(4).opaque(user!).uint(1).uint(7).opaque(password!).uint(0);
  expect(body.bytes().subarray(-tail.bytes().length)).toEqual(tail.bytes());
});

it.each([
  [new LibvirtError(86, 10, 'no answer'), { kind: 'conflict', message: 'the guest agent does not answer' }],
  [new LibvirtError(55, 10, 'not running'), { kind: 'conflict', message: 'its guest does not run' }],
  [new LibvirtError(42, 10, 'no domain'), { kind: 'conflict', message: 'its guest does not run' }],
  [new LibvirtUnreachable('gone'), { kind: 'unavailable' }],
])('tells why not: %s', async (error, told) => {
  failure = error;
  await expect(guests.setPassword(ID, 'root', 'x', signal)).rejects.toMatchObject(told);
  await expect(guests.interrupt(ID)).rejects.toMatchObject(told);
  failure = undefined;
});

it('repeats nothing of what a guest says against a password', async () => {
  failure = new LibvirtError(1, 10, 'chpasswd: x is too simple');
  const told = { kind: 'conflict', message: 'error setting admin password' };
  await expect(guests.setPassword(ID, 'root', 'x', signal)).rejects.toMatchObject(told);
  await expect(guests.interrupt(ID)).rejects.toMatchObject({ message: /^the hypervisor refused/ });
  failure = undefined;
});

it('asks again while no agent answers, as long as the guest may be starting', async () => {
  const patient = new Guests(libvirt, pino({ level: 'silent' }), { forMs: 60_000, everyMs: 1 });
  failure = new LibvirtError(86, 10, 'no answer');
  called = [];
  const set = patient.setPassword(ID, 'root', 'x', signal);
  await expect.poll(() => called.length).toBeGreaterThan(6);
  failure = undefined;
  await set;
  failure = new LibvirtError(86, 10, 'no answer');
  const leaving = new AbortController();
  const left = patient.setPassword(ID, 'root', 'x', leaving.signal);
  leaving.abort();
  await expect(left).rejects.toThrow('abort');
  failure = undefined;
});
