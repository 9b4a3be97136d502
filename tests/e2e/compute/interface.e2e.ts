/** Interfaces that come and go while the guest runs: it sees them, speaks on them, and goes on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, until } from '../client.js';
import { Lab } from '../network/lab/lab.js';
import { mustOnNode } from '../network/lab/node.js';
import type { Port } from '../network/lab/resources.js';
import { type Guest, Login } from './login.js';

interface Attachment {
  readonly port_id: string;
  readonly mac_addr: string;
  readonly port_state: string;
  readonly fixed_ips: readonly { readonly ip_address: string }[];
}

let lab: Lab;
let login: Login;
let guest: Guest;
let boot = '';
let second: Awaited<ReturnType<Lab['network']>>;

beforeAll(async () => {
  lab = await Lab.open('interface', ['node-1']);
  login = await Login.open(lab, 'lab-interface', '10.78.0.0/24');
  second = await lab.network({ subnets: [{ cidr: '10.79.0.0/24' }] });
  guest = await login.guest();
  boot = await login.inside(guest, 'cat /proc/sys/kernel/random/boot_id');
});
afterAll(() => lab.close());

const path = () => `/servers/${guest.id}/os-interface`;
const attach = async (wish: object): Promise<Attachment> =>
  (await lab.compute<{ interfaceAttachment: Attachment }>('POST', path(), { interfaceAttachment: wish }))
    .interfaceAttachment;
const list = async (): Promise<Attachment[]> =>
  (await lab.compute<{ interfaceAttachments: Attachment[] }>('GET', path())).interfaceAttachments;
const macs = () => login.inside(guest, 'cat /sys/class/net/*/address');
const gone = (portId: string) =>
  until('the interface to be gone', list, (all) => all.every(({ port_id }) => port_id !== portId), 60_000, 200);
const same = async () => expect(await login.inside(guest, 'cat /proc/sys/kernel/random/boot_id')).toBe(boot);
const taps = async () => mustOnNode(await login.node(guest), 'virsh', 'domiflist', guest.id);

describe('on a running guest', () => {
  it('one is plugged that answers on its address, and is unplugged', async () => {
    const { port_id, mac_addr, fixed_ips } = await attach({ net_id: second.id });
    expect(await taps()).toContain(mac_addr);
    await until('the guest to see it', macs, (all) => all.includes(mac_addr), 20_000);
    const active = () => list().then((all) => all.find((one) => one.port_id === port_id)?.port_state);
    await until('the port to be up', active, (state) => state === 'ACTIVE', 20_000);
    const { addresses } = await login.show(guest);
    expect(JSON.stringify(addresses)).toContain(fixed_ips[0]!.ip_address);
    await lab.compute('DELETE', `${path()}/${port_id}`);
    await gone(port_id);
    expect(await macs()).not.toContain(mac_addr);
    expect(await taps()).not.toContain(mac_addr);
    await expect(lab.call('GET', `/ports/${port_id}`)).rejects.toThrow('404');
    await same();
  });

  it('a port of the tenant’s own outlives its use', async () => {
    const own = await lab.make<Port>('ports', 'port', { network_id: second.id });
    expect((await attach({ port_id: own.id })).mac_addr).toBe(own.mac_address);
    await expect(attach({ port_id: own.id })).rejects.toThrow('400');
    await lab.compute('DELETE', `${path()}/${own.id}`);
    await gone(own.id);
    const free = async () => (await lab.call<{ device_id: string }>('GET', `/ports/${own.id}`)).device_id;
    await until('the port to be free', free, (device) => device === '', 20_000);
    await same();
  });
});

it('a stopped guest has its new interface when it starts', async () => {
  await login.act(guest, { 'os-stop': null }, 'SHUTOFF');
  const { mac_addr, port_id } = await attach({ net_id: second.id });
  await login.act(guest, { 'os-start': null }, 'ACTIVE');
  await login.answers(guest);
  expect(await macs()).toContain(mac_addr);
  await lab.compute('DELETE', `${path()}/${port_id}`);
  await gone(port_id);
});

it('what can not be is refused', async () => {
  const nobody = '99999999-9999-4999-8999-999999999999';
  await expect(attach({ port_id: nobody })).rejects.toThrow('404');
  await expect(attach({ net_id: nobody })).rejects.toThrow('404');
  await expect(attach({ net_id: second.id, port_id: nobody })).rejects.toThrow('400');
  await expect(attach({ fixed_ips: [{ ip_address: '10.79.0.9' }] })).rejects.toThrow('400');
  await expect(lab.compute('DELETE', `${path()}/${nobody}`)).rejects.toThrow('404');
  await login.act(guest, { suspend: null }, 'SUSPENDED');
  await expect(attach({ net_id: second.id })).rejects.toThrow('409');
  await login.act(guest, { resume: null }, 'ACTIVE');
});

it('leaves nothing for the auditor', async () => {
  await expect
    .poll(async () => (await findings()).filter(({ id }) => id === guest.id), { timeout: 30_000, interval: 1_000 })
    .toEqual([]);
});
