/**
 * A real guest among endpoints: it is logged in to with the key that metadata gave it, and does from inside what
 * clients and the official suite do there. Then it is stopped, and an endpoint in its place asks metadata in its name.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../client.js';
import type { Endpoint } from './lab/endpoint.js';
import { Lab } from './lab/lab.js';
import { mustOnNode } from './lab/node.js';
import type { Network, Port, Server } from './lab/resources.js';

const KEY = '/tmp/lab-guest-key';
const METADATA = 'http://169.254.169.254';

let lab: Lab;
let network: Network;
let jump: Endpoint;
let server: Server;
let port: Port;
let address = '';

/** As the official suite runs a command in a guest. */
async function inside(command: string): Promise<string> {
  const remote = `set -eu -o pipefail; PATH=$PATH:/sbin:/usr/sbin; ${command}`;
  const { code, output } = await jump.exec(['dbclient', '-y', '-y', '-i', KEY, `tiny@${address}`, remote], 30_000);
  if (code !== 0) throw new Error(`${command}: ${output}`);
  return output.replace(/^.*dbclient: .*\n/gm, '').trim();
}

beforeAll(async () => {
  lab = await Lab.open('guest');
  network = await lab.network({ subnets: [{ cidr: '10.74.0.0/24', dns_nameservers: ['9.9.9.9'] }] });
  const open = await lab.group({ rules: [{ direction: 'ingress' }, { direction: 'egress' }] });
  await mustOnNode('node-1', 'rm', '-f', KEY);
  await mustOnNode('node-1', 'dropbearkey', '-t', 'ed25519', '-f', KEY);
  lab.afterwards(async () => void (await mustOnNode('node-1', 'rm', '-f', KEY)));
  const public_key = /^ssh-ed25519 \S+/m.exec(await mustOnNode('node-1', 'dropbearkey', '-y', '-f', KEY))![0];
  const key_name = 'lab-guest';
  await lab.compute('DELETE', `/os-keypairs/${key_name}`).catch(() => undefined);
  await lab.compute('POST', '/os-keypairs', { keypair: { name: key_name, public_key } });
  lab.afterwards(() => lab.compute('DELETE', `/os-keypairs/${key_name}`));
  port = await lab.make<Port>('ports', 'port', { network_id: network.id, security_groups: [open] });
  address = port.fixed_ips[0]!.ip_address;
  [jump, server] = await Promise.all([
    lab.endpoint({ network, node: 'node-1', groups: [open] }),
    lab.server({ key_name, networks: [{ port: port.id }], metadata: { role: 'front' } }),
  ]);
  const answers = () => jump.connect('tcp', address, 22, 1_000);
  await until('the guest to take logins', answers, ({ outcome }) => outcome === 'open', 120_000);
});

afterAll(() => lab.close());

describe('the guest', () => {
  it('lets its owner in, who may do everything', async () => {
    expect(await inside('sudo -n id -u')).toBe('0');
    expect(await inside('hostname')).toContain('lab-guest');
  });

  it('has the address, the MTU and the name server that the network has for it', async () => {
    const shown = await inside('ip -o addr show dev eth0; ip link show dev eth0; cat /etc/resolv.conf');
    expect(shown).toContain(`${address}/24`);
    expect(shown).toContain('mtu 1442');
    expect(shown).toContain('nameserver 9.9.9.9');
    expect(shown).toMatch(/inet6 fe80::/);
    expect(await inside(`ip -o link | awk '/${port.mac_address}/ {print $2}'`)).toContain('eth0');
  });

  it('pings and serves as the official suite asks of it', async () => {
    expect(await inside(`ping -c1 -w1 -s56 ${jump.ipv4}`)).toContain('1 packets received');
    await inside('sudo nc -p 8080 -lk -e echo foolish >/dev/null 2>&1 &');
    const served = () => jump.exec(['busybox', 'nc', '-w', '1', address, '8080']);
    await until('the guest to serve', served, ({ output }) => output === 'foolish\n', 10_000, 200);
    expect(await inside('echo "bar" | nc -w 1 127.0.0.1 8080')).toBe('foolish');
  });

  it('renews its lease on demand', async () => {
    await inside('sudo /bin/kill -USR1 $(cat /var/run/udhcpc.eth0.pid)');
    expect(await inside('ip -o -4 addr show dev eth0')).toContain(address);
  });

  it('reads its metadata', async () => {
    expect(await inside(`curl ${METADATA}/latest/meta-data/local-ipv4`)).toBe(address);
    expect(JSON.parse(await inside(`curl ${METADATA}/openstack/latest/meta_data.json`))).toMatchObject({
      uuid: server.id,
      meta: { role: 'front' },
    });
  });
});
