import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Testbed, testbed } from './testbed.fixture.js';

type Row = Record<string, unknown> & { id: string };

let bed: Testbed;
beforeAll(async () => {
  bed = await testbed({
    physicalNetworks: [{ name: 'public' }],
    quotas: { network: 100, subnet: 100, port: 100, security_group: 5, security_group_rule: 100 },
  });
});
afterAll(async () => {
  const uneven = (await bed.service.books.quotas.audit(bed.service.db)).filter((row) => row.recorded !== row.counted);
  expect(uneven).toEqual([]);
  await bed.close();
});

const ADMIN = { roles: ['admin'] };
const one = (answer: Answer, name: string): Row => {
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body[name] as Row;
};
const many = (answer: Answer, name: string): Row[] => one(answer, name) as unknown as Row[];
const fault = (answer: Answer) => ({
  status: answer.status,
  type: (answer.body['NeutronError'] as Row | undefined)?.['type'],
});
const makeNetwork = async (body: object = {}, as = {}) =>
  one(await bed.call('POST', '/v2.0/networks', { network: { name: 'n', ...body } }, as), 'network');
const makeSubnet = async (networkId: string, body: object = {}, as = {}) =>
  one(
    await bed.call(
      'POST',
      '/v2.0/subnets',
      { subnet: { network_id: networkId, ip_version: 4, cidr: '10.0.0.0/24', ...body } },
      as,
    ),
    'subnet',
  );
const makePort = async (networkId: string, body: object = {}, as = {}) =>
  one(await bed.call('POST', '/v2.0/ports', { port: { network_id: networkId, ...body } }, as), 'port');

describe('discovery', () => {
  it('tells the version and its resources to everyone', async () => {
    const versions = (await (await fetch(`${bed.url}/`)).json()) as { versions: Row[] };
    expect(versions.versions).toEqual([
      { id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: 'http://cloud.test/network/v2.0/' }] },
    ]);
    expect((await fetch(`${bed.url}/v2.0/`)).status).toBe(200);
    expect((await fetch(`${bed.url}/v2.0/networks`)).status).toBe(401);
  });

  it('lists extensions, none of which is a lie', async () => {
    const aliases = many(await bed.call('GET', '/v2.0/extensions'), 'extensions').map(
      (extension) => extension['alias'],
    );
    expect(aliases).toContain('security-group');
    expect(aliases).not.toContain('router');
    expect((await bed.call('GET', '/v2.0/extensions/security-group')).status).toBe(200);
    expect(fault(await bed.call('GET', '/v2.0/extensions/Availability%20Zone'))).toEqual({
      status: 404,
      type: 'HTTPNotFound',
    });
    expect(many(await bed.call('GET', '/v2.0/availability_zones'), 'availability_zones')).toEqual([]);
    expect((await bed.call('GET', '/v2.0/agents', undefined, ADMIN)).body).toEqual({ agents: [] });
  });
});

describe('networks', () => {
  it('are made, shown, changed and deleted', async () => {
    const made = await makeNetwork({ name: 'first', description: 'd', admin_state_up: true, 'router:external': false });
    expect(made).toMatchObject({
      name: 'first',
      description: 'd',
      project_id: 'p1',
      tenant_id: 'p1',
      status: 'ACTIVE',
      mtu: 1442,
      shared: false,
      subnets: [],
      port_security_enabled: true,
      'router:external': false,
      revision_number: 1,
    });
    expect(made).not.toHaveProperty('provider:network_type');
    expect(made['created_at']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const path = `/v2.0/networks/${made.id}`;
    expect(one(await bed.call('GET', path), 'network')).toEqual(made);
    expect(one(await bed.call('GET', `${path}?fields=id&fields=name`), 'network')).toEqual({
      id: made.id,
      name: 'first',
    });
    expect(one(await bed.call('GET', path, undefined, ADMIN), 'network')).toMatchObject({
      'provider:network_type': 'geneve',
      'provider:physical_network': null,
    });
    const changed = one(await bed.call('PUT', path, { network: { name: 'second', mtu: 1300 } }), 'network');
    expect(changed).toMatchObject({ name: 'second', mtu: 1300, description: 'd', revision_number: 2 });
    expect((await bed.call('DELETE', path)).status).toBe(204);
    expect(fault(await bed.call('GET', path))).toEqual({ status: 404, type: 'NetworkNotFound' });
  });

  it('are looked up by name after a 404', async () => {
    const made = await makeNetwork({ name: 'by-name' });
    expect(fault(await bed.call('GET', '/v2.0/networks/by-name'))).toEqual({ status: 404, type: 'NetworkNotFound' });
    expect(many(await bed.call('GET', '/v2.0/networks?name=by-name'), 'networks').map((n) => n.id)).toEqual([made.id]);
  });

  it('are made in bulk or not at all', async () => {
    const body = { networks: [{ name: 'b1' }, { name: 'b2' }] };
    expect(many(await bed.call('POST', '/v2.0/networks', body), 'networks').map((n) => n['name'])).toEqual([
      'b1',
      'b2',
    ]);
    const limited = { project: 'tiny' };
    await bed.call('PUT', '/v2.0/quotas/tiny', { quota: { network: 1 } }, ADMIN);
    expect(fault(await bed.call('POST', '/v2.0/networks', body, limited))).toEqual({ status: 409, type: 'OverQuota' });
    expect(many(await bed.call('GET', '/v2.0/networks?project_id=tiny', undefined, limited), 'networks')).toEqual([]);
  });

  it('of another project do not exist, and nothing tells otherwise', async () => {
    const made = await makeNetwork();
    const foreign = await bed.call('GET', `/v2.0/networks/${made.id}`, undefined, { project: 'p2' });
    const unknown = await bed.call('GET', `/v2.0/networks/${randomUUID()}`, undefined, { project: 'p2' });
    expect(fault(foreign)).toEqual({ status: 404, type: 'NetworkNotFound' });
    expect(JSON.stringify(foreign.body).replaceAll(made.id, 'X')).toBe(
      JSON.stringify(unknown.body).replace(/[0-9a-f-]{36}/g, 'X'),
    );
    for (const method of ['PUT', 'DELETE']) {
      expect(
        (
          await bed.call(method, `/v2.0/networks/${made.id}`, method === 'PUT' ? { network: {} } : undefined, {
            project: 'p2',
          })
        ).status,
      ).toBe(404);
    }
    expect(
      (await bed.call('GET', `/v2.0/networks/${made.id}`, undefined, { project: 'p2', roles: ['admin'] })).status,
    ).toBe(200);
  });

  it('that are shared may be used by all and changed by their owner', async () => {
    expect(fault(await bed.call('POST', '/v2.0/networks', { network: { shared: true } }))).toEqual({
      status: 403,
      type: 'PolicyNotAuthorized',
    });
    const shared = await makeNetwork({ shared: true }, ADMIN);
    await makeSubnet(shared.id, {}, ADMIN);
    const other = { project: 'p2' };
    expect((await bed.call('GET', `/v2.0/networks/${shared.id}`, undefined, other)).status).toBe(200);
    const port = await makePort(shared.id, {}, other);
    expect(port['project_id']).toBe('p2');
    expect((await bed.call('PUT', `/v2.0/networks/${shared.id}`, { network: { name: 'x' } }, other)).status).toBe(403);
    const subnet = { subnet: { network_id: shared.id, cidr: '10.9.0.0/24', ip_version: 4 } };
    expect(fault(await bed.call('POST', '/v2.0/subnets', subnet, other))).toEqual({
      status: 403,
      type: 'PolicyNotAuthorized',
    });
    const withIp = { port: { network_id: shared.id, fixed_ips: [{ ip_address: '10.0.0.99' }] } };
    expect((await bed.call('POST', '/v2.0/ports', withIp, other)).status).toBe(403);
    expect((await bed.call('DELETE', `/v2.0/ports/${port.id}`, undefined, other)).status).toBe(204);
  });

  it('refuse what is not here, by name', async () => {
    const make = async (network: object, as: object = {}) =>
      fault(await bed.call('POST', '/v2.0/networks', { network }, as));
    expect(await make({ 'router:external': true })).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await make({ 'provider:network_type': 'vlan' }, ADMIN)).toEqual({ status: 400, type: 'InvalidInput' });
    expect(await make({ mtu: 9000 })).toEqual({ status: 400, type: 'InvalidInput' });
    expect(await make({ availability_zone_hints: ['mars'] })).toEqual({
      status: 404,
      type: 'AvailabilityZoneNotFound',
    });
    expect(await make({ nonsense: 1 })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await make({ name: 'a\0b' })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await make({ name: 'x'.repeat(256) })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await make({ project_id: 'p2' })).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(fault(await bed.call('POST', '/v2.0/networks', '{"network": '))).toEqual({
      status: 400,
      type: 'HTTPBadRequest',
    });
    expect(fault(await bed.call('POST', '/v2.0/networks', '{"network": {"__proto__": {"shared": true}}}'))).toEqual({
      status: 400,
      type: 'HTTPBadRequest',
    });
    expect(
      (await bed.call('POST', '/v2.0/networks', JSON.stringify({ network: { name: 'x'.repeat(2 << 20) } }))).status,
    ).toBe(413);
    expect((await bed.call('PATCH', '/v2.0/networks', {})).status).toBe(405);
    expect(fault(await bed.call('GET', '/v2.0/routers'))).toEqual({ status: 404, type: 'HTTPNotFound' });
  });
});

describe('external networks', () => {
  it('are made by administrators on a physical network, and seen by all', async () => {
    const made = await makeNetwork(
      {
        name: 'out',
        'router:external': true,
        'provider:network_type': 'flat',
        'provider:physical_network': 'public',
      },
      ADMIN,
    );
    expect(made).toMatchObject({
      'router:external': true,
      is_default: false,
      shared: false,
      mtu: 1500,
      'provider:network_type': 'flat',
      'provider:physical_network': 'public',
      'provider:segmentation_id': null,
    });
    const other = { project: 'p2' };
    const path = `/v2.0/networks/${made.id}`;
    expect(one(await bed.call('GET', path, undefined, other), 'network')).toMatchObject({ 'router:external': true });
    const listed = many(await bed.call('GET', '/v2.0/networks?router:external=True', undefined, other), 'networks');
    expect(listed.map((network) => network.id)).toEqual([made.id]);
    expect(fault(await bed.call('POST', '/v2.0/ports', { port: { network_id: made.id } }, other)).status).toBe(404);
    const again = {
      network: { 'provider:network_type': 'flat', 'provider:physical_network': 'public' },
    };
    expect(fault(await bed.call('POST', '/v2.0/networks', again, ADMIN))).toEqual({
      status: 409,
      type: 'FlatNetworkInUse',
    });
    const closed = one(await bed.call('PUT', path, { network: { 'router:external': false } }, ADMIN), 'network');
    expect(closed['router:external']).toBe(false);
    expect((await bed.call('GET', path, undefined, other)).status).toBe(404);
    expect((await bed.call('DELETE', path, undefined, ADMIN)).status).toBe(204);
  });
});

describe('conditional changes', () => {
  it('happen only at the revision that the client saw', async () => {
    const made = await makeNetwork();
    const put = (match: string, name: string) =>
      fetch(`${bed.url}/v2.0/networks/${made.id}`, {
        method: 'PUT',
        headers: { 'x-auth-token': bed.token('p1'), 'content-type': 'application/json', 'if-match': match },
        body: JSON.stringify({ network: { name } }),
      });
    expect((await put('revision_number=7', 'a')).status).toBe(412);
    expect((await put('nonsense', 'a')).status).toBe(400);
    const both = await Promise.all([put('revision_number=1', 'b'), put('revision_number=1', 'c')]);
    expect(both.map((answer) => answer.status).sort()).toEqual([200, 412]);
    const shown = one(await bed.call('GET', `/v2.0/networks/${made.id}`), 'network');
    expect(shown['revision_number']).toBe(2);
  });
});

describe('subnets', () => {
  it('are made, shown, changed and deleted', async () => {
    const network = await makeNetwork();
    const made = await makeSubnet(network.id, {
      name: 's',
      dns_nameservers: ['1.1.1.1'],
      host_routes: [{ destination: '10.5.0.0/16', nexthop: '10.0.0.9' }],
    });
    expect(made).toMatchObject({
      network_id: network.id,
      cidr: '10.0.0.0/24',
      ip_version: 4,
      gateway_ip: '10.0.0.1',
      enable_dhcp: true,
      allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
      dns_nameservers: ['1.1.1.1'],
      ipv6_address_mode: null,
      subnetpool_id: null,
    });
    expect(one(await bed.call('GET', `/v2.0/networks/${network.id}`), 'network')['subnets']).toEqual([made.id]);
    const path = `/v2.0/subnets/${made.id}`;
    const changed = one(
      await bed.call('PUT', path, {
        subnet: { gateway_ip: null, dns_nameservers: ['8.8.8.8', '8.8.4.4'], enable_dhcp: false },
      }),
      'subnet',
    );
    expect(changed).toMatchObject({
      gateway_ip: null,
      dns_nameservers: ['8.8.8.8', '8.8.4.4'],
      enable_dhcp: false,
      host_routes: made['host_routes'],
    });
    expect((await bed.call('DELETE', path)).status).toBe(204);
    expect(fault(await bed.call('GET', path))).toEqual({ status: 404, type: 'SubnetNotFound' });
  });

  it('take pools and gateways that agree, and refuse those that do not', async () => {
    const network = await makeNetwork();
    const pools = [{ start: '10.0.0.50', end: '10.0.0.60' }];
    const made = await makeSubnet(network.id, { gateway_ip: '10.0.0.254', allocation_pools: pools });
    expect(made).toMatchObject({ gateway_ip: '10.0.0.254', allocation_pools: pools });
    const change = async (subnet: object) => fault(await bed.call('PUT', `/v2.0/subnets/${made.id}`, { subnet }));
    expect(await change({ gateway_ip: '10.0.0.55' })).toEqual({
      status: 409,
      type: 'GatewayConflictWithAllocationPools',
    });
    expect(await change({ cidr: '10.1.0.0/24' })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    const create = async (subnet: object) =>
      fault(await bed.call('POST', '/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, ...subnet } }));
    expect(await create({ cidr: '10.0.0.128/25' })).toEqual({ status: 400, type: 'InvalidInput' });
    expect(await create({})).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await create({ cidr: '10.2.0.0/24', network_id: randomUUID() })).toEqual({
      status: 404,
      type: 'NetworkNotFound',
    });
    expect(await create({ cidr: '10.2.0.0/24', ip_version: 5 })).toEqual({ status: 400, type: 'HTTPBadRequest' });
  });
});

describe('ports', () => {
  it('are made, shown, changed and deleted', async () => {
    const network = await makeNetwork();
    const subnet = await makeSubnet(network.id);
    const made = await makePort(network.id, { name: 'p', device_id: 'x' });
    const [group] = many(await bed.call('GET', '/v2.0/security-groups?name=default'), 'security_groups');
    expect(made).toMatchObject({
      network_id: network.id,
      status: 'DOWN',
      admin_state_up: true,
      fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.0.0.3' }],
      security_groups: [group!.id],
      port_security_enabled: true,
      allowed_address_pairs: [],
      'binding:vnic_type': 'normal',
    });
    expect(made).not.toHaveProperty('binding:host_id');
    const path = `/v2.0/ports/${made.id}`;
    expect(one(await bed.call('GET', path), 'port')).toEqual(made);
    const fixed = [{ subnet_id: subnet.id, ip_address: '10.0.0.40' }, { subnet_id: subnet.id }];
    const changed = one(
      await bed.call('PUT', path, {
        port: { name: 'q', fixed_ips: fixed, security_groups: [], admin_state_up: false },
      }),
      'port',
    );
    expect(changed).toMatchObject({
      name: 'q',
      admin_state_up: false,
      security_groups: [],
      fixed_ips: [
        { subnet_id: subnet.id, ip_address: '10.0.0.40' },
        { subnet_id: subnet.id, ip_address: '10.0.0.3' },
      ],
    });
    expect(one(await bed.call('GET', path, undefined, ADMIN), 'port')).toMatchObject({
      'binding:host_id': '',
      'binding:vif_type': 'unbound',
    });
    expect((await bed.call('DELETE', path)).status).toBe(204);
    expect(fault(await bed.call('DELETE', path))).toEqual({ status: 404, type: 'PortNotFound' });
  });

  it('refuse with the names that clients know', async () => {
    const network = await makeNetwork();
    await makeSubnet(network.id);
    const first = await makePort(network.id, {
      fixed_ips: [{ ip_address: '10.0.0.20' }],
      mac_address: 'FA:16:3E:77:77:77',
    });
    expect(first['mac_address']).toBe('fa:16:3e:77:77:77');
    const make = async (port: object) =>
      fault(await bed.call('POST', '/v2.0/ports', { port: { network_id: network.id, ...port } }));
    expect(await make({ fixed_ips: [{ ip_address: '10.0.0.20' }] })).toEqual({
      status: 409,
      type: 'IpAddressAlreadyAllocated',
    });
    expect(await make({ mac_address: 'fa:16:3e:77:77:77' })).toEqual({ status: 409, type: 'MacAddressInUse' });
    expect(await make({ fixed_ips: [{ ip_address: '192.0.2.1' }] })).toEqual({
      status: 400,
      type: 'InvalidIpForNetwork',
    });
    expect(await make({ security_groups: [randomUUID()] })).toEqual({ status: 404, type: 'SecurityGroupNotFound' });
    expect(await make({ network_id: randomUUID() })).toEqual({ status: 404, type: 'NetworkNotFound' });
    expect(await make({ mac_address: 'not-a-mac' })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await make({ 'binding:host_id': 'node-1' })).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await make({ port_security_enabled: false, security_groups: [randomUUID()] })).toEqual({
      status: 400,
      type: 'PortSecurityAndIPRequiredForSecurityGroups',
    });
    expect(await make({ port_security_enabled: false, allowed_address_pairs: [{ ip_address: '10.0.0.9' }] })).toEqual({
      status: 409,
      type: 'AddressPairAndPortSecurityRequired',
    });
    expect(fault(await bed.call('DELETE', `/v2.0/networks/${network.id}`))).toEqual({
      status: 409,
      type: 'NetworkInUse',
    });
  });

  it('keep what they may send from', async () => {
    const network = await makeNetwork();
    await makeSubnet(network.id);
    const pairs = [{ ip_address: '10.0.0.100' }, { ip_address: '10.0.0.0/28', mac_address: 'fa:16:3e:00:00:99' }];
    const port = await makePort(network.id, { allowed_address_pairs: pairs });
    expect(port['allowed_address_pairs']).toEqual([
      { ip_address: '10.0.0.100', mac_address: port['mac_address'] },
      { ip_address: '10.0.0.0/28', mac_address: 'fa:16:3e:00:00:99' },
    ]);
  });

  it('are made in bulk', async () => {
    const network = await makeNetwork();
    const body = {
      ports: [
        { network_id: network.id, name: 'a' },
        { network_id: network.id, name: 'b' },
      ],
    };
    expect(many(await bed.call('POST', '/v2.0/ports', body), 'ports').map((port) => port['name'])).toEqual(['a', 'b']);
  });

  it('of the cloud show who owns them and stay', async () => {
    const network = await makeNetwork();
    await makeSubnet(network.id);
    const [metadata] = many(await bed.call('GET', `/v2.0/ports?network_id=${network.id}`), 'ports');
    expect(metadata).toMatchObject({
      device_owner: 'network:distributed',
      device_id: `ovnmeta-${network.id}`,
      project_id: '',
      security_groups: [],
    });
    expect(fault(await bed.call('DELETE', `/v2.0/ports/${metadata!.id}`))).toEqual({
      status: 409,
      type: 'ServicePortInUse',
    });
    expect((await bed.call('DELETE', `/v2.0/networks/${network.id}`)).status).toBe(204);
  });

  it('come in pages with links', async () => {
    const project = 'pager';
    const network = await makeNetwork({}, { project });
    for (let i = 0; i < 5; i++) await makePort(network.id, { name: `p${i}` }, { project });
    const first = await bed.call('GET', '/v2.0/ports?limit=3&sort_key=name&sort_dir=desc&device_owner=', undefined, {
      project,
    });
    expect(many(first, 'ports').map((port) => port['name'])).toEqual(['p4', 'p3', 'p2']);
    const [link] = first.body['ports_links'] as { rel: string; href: string }[];
    expect(link).toMatchObject({
      rel: 'next',
      href: expect.stringContaining('http://cloud.test/network/v2.0/ports?limit=3'),
    });
    const next = await bed.call('GET', link!.href.replace('http://cloud.test/network', ''), undefined, { project });
    expect(many(next, 'ports').map((port) => port['name'])).toEqual(['p1', 'p0']);
    expect((next.body['ports_links'] as { rel: string }[]).map((l) => l.rel)).toEqual(['previous']);
  });
});

describe('security groups', () => {
  it('are there by default, made, changed and deleted', async () => {
    const as = { project: 'groups' };
    const [standard] = many(await bed.call('GET', '/v2.0/security-groups', undefined, as), 'security_groups');
    expect(standard).toMatchObject({ name: 'default', stateful: true });
    const rules = standard!['security_group_rules'] as Row[];
    expect(
      rules
        .map((rule) => `${rule['direction']} ${rule['ethertype']} ${rule['remote_group_id'] === standard!.id}`)
        .sort(),
    ).toEqual(['egress IPv4 false', 'egress IPv6 false', 'ingress IPv4 true', 'ingress IPv6 true']);
    const create = (name: string) =>
      bed.call('POST', '/v2.0/security-groups', { security_group: { name, description: 'd' } }, as);
    expect(fault(await create('default'))).toEqual({ status: 409, type: 'SecurityGroupDefaultAlreadyExists' });
    const made = one(await create('web'), 'security_group');
    expect(made['security_group_rules']).toHaveLength(2);
    const path = `/v2.0/security-groups/${made.id}`;
    const changed = one(
      await bed.call('PUT', path, { security_group: { name: 'www', description: 'e' } }, as),
      'security_group',
    );
    expect(changed).toMatchObject({ name: 'www', description: 'e' });
    expect((await bed.call('DELETE', path, undefined, as)).status).toBe(204);
    expect(fault(await bed.call('GET', path, undefined, as))).toEqual({ status: 404, type: 'SecurityGroupNotFound' });
    expect(fault(await bed.call('DELETE', `/v2.0/security-groups/${standard!.id}`, undefined, as))).toEqual({
      status: 409,
      type: 'SecurityGroupCannotRemoveDefault',
    });
    expect((await bed.call('GET', `/v2.0/security-groups/${standard!.id}`)).status).toBe(404);
  });

  it('take rules one by one and in bulk', async () => {
    const as = { project: 'rules' };
    const group = one(
      await bed.call('POST', '/v2.0/security-groups', { security_group: { name: 'g' } }, as),
      'security_group',
    );
    const add = (rule: object) =>
      bed.call(
        'POST',
        '/v2.0/security-group-rules',
        { security_group_rule: { security_group_id: group.id, direction: 'ingress', ...rule } },
        as,
      );
    const ssh = { protocol: 'tcp', port_range_min: 22, port_range_max: 22, remote_ip_prefix: '10.1.2.3/8' };
    const rule = one(await add(ssh), 'security_group_rule');
    expect(rule).toMatchObject({
      ...ssh,
      ethertype: 'IPv4',
      normalized_cidr: '10.0.0.0/8',
      remote_group_id: null,
      project_id: 'rules',
    });
    expect(fault(await add(ssh))).toEqual({ status: 409, type: 'SecurityGroupRuleExists' });
    expect(fault(await add({ remote_group_id: randomUUID() }))).toEqual({ status: 404, type: 'SecurityGroupNotFound' });
    expect(fault(await add({ protocol: 'nonsense' }))).toEqual({
      status: 400,
      type: 'SecurityGroupRuleInvalidProtocol',
    });
    expect(fault(await add({ security_group_id: randomUUID() }))).toEqual({
      status: 404,
      type: 'SecurityGroupNotFound',
    });
    const bulk = [80, 443].map((port) => ({
      security_group_id: group.id,
      direction: 'ingress',
      protocol: 'tcp',
      port_range_min: port,
      port_range_max: port,
    }));
    expect(
      many(
        await bed.call('POST', '/v2.0/security-group-rules', { security_group_rules: bulk }, as),
        'security_group_rules',
      ),
    ).toHaveLength(2);
    expect(
      many(
        await bed.call(
          'GET',
          `/v2.0/security-group-rules?security_group_id=${group.id}&direction=ingress`,
          undefined,
          as,
        ),
        'security_group_rules',
      ),
    ).toHaveLength(3);
    expect((await bed.call('DELETE', `/v2.0/security-group-rules/${rule.id}`, undefined, as)).status).toBe(204);
    expect(fault(await bed.call('GET', `/v2.0/security-group-rules/${rule.id}`, undefined, as))).toEqual({
      status: 404,
      type: 'SecurityGroupRuleNotFound',
    });
  });

  it('are limited by quota', async () => {
    const as = { project: 'limited' };
    const create = () => bed.call('POST', '/v2.0/security-groups', { security_group: { name: 'g' } }, as);
    for (let i = 0; i < 4; i++) expect((await create()).status).toBe(201);
    expect(fault(await create())).toEqual({ status: 409, type: 'OverQuota' });
  });
});

describe('quotas', () => {
  it('are shown, set, detailed and reset', async () => {
    const as = { project: 'quoted' };
    expect(one(await bed.call('GET', '/v2.0/quotas/quoted', undefined, as), 'quota')).toMatchObject({
      network: 100,
      security_group: 5,
    });
    expect((await bed.call('GET', '/v2.0/quotas/p1', undefined, as)).status).toBe(403);
    expect((await bed.call('PUT', '/v2.0/quotas/quoted', { quota: { network: 1 } }, as)).status).toBe(403);
    expect(
      one(await bed.call('PUT', '/v2.0/quotas/quoted', { quota: { network: 7, port: '9' } }, ADMIN), 'quota'),
    ).toMatchObject({ network: 7, port: 9 });
    await makeNetwork({}, as);
    const details = one(await bed.call('GET', '/v2.0/quotas/quoted/details.json', undefined, as), 'quota');
    expect(details['network']).toEqual({ limit: 7, used: 1, reserved: 0 });
    expect(one(await bed.call('GET', '/v2.0/quotas/quoted/default', undefined, as), 'quota')['network']).toBe(100);
    expect(
      many(await bed.call('GET', '/v2.0/quotas', undefined, ADMIN), 'quotas').find((q) => q['project_id'] === 'quoted'),
    ).toMatchObject({ network: 7 });
    expect((await bed.call('DELETE', '/v2.0/quotas/quoted', undefined, ADMIN)).status).toBe(204);
    expect(one(await bed.call('GET', '/v2.0/quotas/quoted', undefined, as), 'quota')['network']).toBe(100);
    expect(fault(await bed.call('PUT', '/v2.0/quotas/quoted', { quota: { network: -2 } }, ADMIN))).toEqual({
      status: 400,
      type: 'HTTPBadRequest',
    });
    expect(fault(await bed.call('PUT', '/v2.0/quotas/quoted', { quota: { nonsense: 2 } }, ADMIN))).toEqual({
      status: 400,
      type: 'HTTPBadRequest',
    });
  });
});
