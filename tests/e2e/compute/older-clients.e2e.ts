/**
 * What compute answers for other services, as clients from before them ask it, and what it shows of a server's ports when
 * those change behind its back or somebody writes the server's id on a port of their own.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loginTo, type Session } from '../../runner/cloud-client.js';
import { STATE, until } from '../client.js';
import { mustOnNode } from '../network/lab/node.js';

interface Named {
  readonly id: string;
  readonly name: string;
}
interface Shown {
  readonly server: {
    readonly status: string;
    readonly addresses: Readonly<Record<string, readonly { readonly addr: string }[]>>;
    readonly security_groups?: readonly { readonly name: string }[];
    readonly 'OS-EXT-SRV-ATTR:host': string;
    readonly 'OS-EXT-SRV-ATTR:instance_name': string;
  };
}

const run = `older-${Date.now().toString(36)}`;
let demo: Session;
let admin: Session;
let server: string;
let port: string;
let subnet: string;
const made: { readonly session: Session; readonly url: string }[] = [];

const compute = async <T>(method: string, path: string, body?: unknown, as = demo): Promise<T> => {
  const answer = await as.call<T>(method, as.endpoint('compute') + path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};
async function network<T>(method: string, path: string, body?: unknown, as = demo): Promise<T> {
  const url = `${as.endpoint('network')}/v2.0${path}`;
  const answer = await as.call<Record<string, { id: string }>>(method, url, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  if (method === 'POST') made.push({ session: as, url: `${url}/${Object.values(answer.body)[0]!.id}` });
  return answer.body as T;
}
const shown = async (): Promise<Shown['server']> =>
  (await compute<Shown>('GET', `/servers/${server}`, undefined, admin)).server;
const addresses = async (): Promise<string[]> =>
  Object.values((await shown()).addresses).flatMap((list) => list.map(({ addr }) => addr));

beforeAll(async () => {
  [demo, admin] = await Promise.all([loginTo(STATE, 'yagura-demo'), loginTo(STATE, 'yagura-admin')]);
  const net = (await network<{ network: Named }>('POST', '/networks', { network: { name: run } })).network.id;
  const wanted = { subnet: { network_id: net, cidr: '10.79.0.0/24', ip_version: 4 } };
  subnet = (await network<{ subnet: Named }>('POST', '/subnets', wanted)).subnet.id;
  const { images } = await compute<{ images: Named[] }>('GET', '/images');
  const { flavors } = await compute<{ flavors: Named[] }>('GET', '/flavors');
  const byName = (list: readonly Named[], name: string): string => list.find((each) => each.name === name)!.id;
  const order = { name: run, imageRef: byName(images, 'tiny'), flavorRef: byName(flavors, 'm1.nano') };
  const asked = { server: { ...order, networks: [{ uuid: net }] } };
  server = (await compute<{ server: Named }>('POST', '/servers', asked)).server.id;
  await until('the server runs', shown, ({ status }) => status === 'ACTIVE');
  const { interfaceAttachments } = await compute<{ interfaceAttachments: { port_id: string }[] }>(
    'GET',
    `/servers/${server}/os-interface`,
  );
  port = interfaceAttachments[0]!.port_id;
});
afterAll(async () => {
  await demo.call('DELETE', `${demo.endpoint('compute')}/servers/${server}`);
  const gone = async () => (await demo.call('GET', `${demo.endpoint('compute')}/servers/${server}`)).status;
  await until('the server is gone', gone, (status) => status === 404);
  for (const { session, url } of made.toReversed()) await session.call('DELETE', url);
});

describe('clients from before the other services', () => {
  it('see images and networks as their services show them', async () => {
    const { images } = await compute<{ images: Named[] }>('GET', '/images/detail?status=ACTIVE');
    const own = await demo.call<{ images: Named[] }>('GET', `${demo.endpoint('image')}/v2/images?status=active`);
    expect(images.map(({ id }) => id).sort()).toEqual(own.body.images.map(({ id }) => id).sort());
    const { networks } = await compute<{ networks: { label: string }[] }>('GET', '/os-tenant-networks');
    expect(networks.map(({ label }) => label)).toContain(run);
  });

  it('make a security group with a rule, which holds in the network service', async () => {
    const words = { security_group: { name: run, description: 'older' } };
    const { security_group: group } = await compute<{ security_group: Named }>('POST', '/os-security-groups', words);
    made.push({ session: demo, url: `${demo.endpoint('network')}/v2.0/security-groups/${group.id}` });
    const rule = { parent_group_id: group.id, ip_protocol: 'tcp', from_port: 22, to_port: 22, cidr: '10.0.0.0/8' };
    await compute('POST', '/os-security-group-rules', { security_group_rule: rule });
    const { security_group_rules } = await network<{ security_group_rules: object[] }>(
      'GET',
      `/security-group-rules?security_group_id=${group.id}&direction=ingress`,
    );
    expect(security_group_rules).toMatchObject([
      { protocol: 'tcp', port_range_min: 22, remote_ip_prefix: '10.0.0.0/8' },
    ]);
  });

  it('take a floating IP and give it back', async () => {
    const { floating_ip: ip } = await compute<{ floating_ip: { id: string; instance_id: null } }>(
      'POST',
      '/os-floating-ips',
      {},
    );
    expect(ip.instance_id).toBeNull();
    await compute('DELETE', `/os-floating-ips/${ip.id}`);
    const { floating_ips } = await compute<{ floating_ips: Named[] }>('GET', '/os-floating-ips');
    expect(floating_ips.map(({ id }) => id)).not.toContain(ip.id);
  });
});

describe('the ports of a server', () => {
  it('are no others than those it was given, whatever is written on a foreign port', async () => {
    const before = await addresses();
    const net = (await network<{ network: Named }>('POST', '/networks', { network: { name: run } }, admin)).network.id;
    await network('POST', '/subnets', { subnet: { network_id: net, cidr: '10.80.0.0/24', ip_version: 4 } }, admin);
    const foreign = { network_id: net, device_id: server, device_owner: 'compute:nova' };
    const { id } = (await network<{ port: Named }>('POST', '/ports', { port: foreign }, admin)).port;
    await network('PUT', `/ports/${id}`, { port: { security_groups: [] } }, admin);
    await compute('POST', `/servers/${server}/action`, { reboot: { type: 'HARD' } });
    await until('it runs again', shown, ({ status }) => status === 'ACTIVE');
    expect(await addresses()).toEqual(before);
    const { interfaceAttachments } = await compute<{ interfaceAttachments: { port_id: string }[] }>(
      'GET',
      `/servers/${server}/os-interface`,
    );
    expect(interfaceAttachments.map((each) => each.port_id)).toEqual([port]);
    const { 'OS-EXT-SRV-ATTR:host': host, 'OS-EXT-SRV-ATTR:instance_name': domain } = await shown();
    const interfaces = await mustOnNode(host, 'virsh', '-q', 'domiflist', domain);
    expect(interfaces.trim().split('\n'), interfaces).toHaveLength(1);
  });

  it('show at once what changes on them', async () => {
    const elsewhere = { port: { fixed_ips: [{ subnet_id: subnet, ip_address: '10.79.0.77' }] } };
    await network('PUT', `/ports/${port}`, elsewhere);
    await until('the new address shows', addresses, (list) => list.join() === '10.79.0.77', 10_000, 200);
    await network('PUT', `/ports/${port}`, { port: { security_groups: [] } });
    await until('the groups are gone', shown, (row) => row.security_groups === undefined, 10_000, 200);
  });
});
