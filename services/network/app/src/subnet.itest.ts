import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ADMIN, fault, makers, one, type Row, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed();
const make = makers(bed);

describe('subnets', () => {
  it('are made, shown, changed and deleted', async () => {
    const network = await make.network();
    const made = await make.subnet(network.id, {
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
    expect(one(await bed().call('GET', `/v2.0/networks/${network.id}`), 'network')['subnets']).toEqual([made.id]);
    const path = `/v2.0/subnets/${made.id}`;
    const changed = one(
      await bed().call('PUT', path, {
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
    expect((await bed().call('DELETE', path)).status).toBe(204);
    expect(fault(await bed().call('GET', path))).toEqual({ status: 404, type: 'SubnetNotFound' });
  });

  it('take pools and gateways that agree, and refuse those that do not', async () => {
    const network = await make.network();
    const pools = [{ start: '10.0.0.50', end: '10.0.0.60' }];
    const made = await make.subnet(network.id, { gateway_ip: '10.0.0.254', allocation_pools: pools });
    expect(made).toMatchObject({ gateway_ip: '10.0.0.254', allocation_pools: pools });
    const change = async (subnet: object) => fault(await bed().call('PUT', `/v2.0/subnets/${made.id}`, { subnet }));
    expect(await change({ gateway_ip: '10.0.0.55' })).toEqual({
      status: 409,
      type: 'GatewayConflictWithAllocationPools',
    });
    expect(await change({ cidr: '10.1.0.0/24' })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    const create = async (subnet: object) =>
      fault(
        await bed().call('POST', '/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, ...subnet } }),
      );
    expect(await create({ cidr: '10.0.0.128/25' })).toEqual({ status: 400, type: 'InvalidInput' });
    expect(await create({})).toEqual({ status: 400, type: 'BadRequest' });
    expect(await create({ cidr: '10.2.0.0/24', network_id: randomUUID() })).toEqual({
      status: 404,
      type: 'NetworkNotFound',
    });
    expect(await create({ cidr: '10.2.0.0/24', ip_version: 5 })).toEqual({ status: 400, type: 'HTTPBadRequest' });
  });
});

describe('what a subnet is for', () => {
  it('is the administrators to say, and ports follow it', async () => {
    const network = await make.network();
    const plain = await make.subnet(network.id, { dns_publish_fixed_ip: true });
    expect(plain).toMatchObject({ service_types: [], dns_publish_fixed_ip: true, 'router:external': false });
    const body = { network_id: network.id, ip_version: 4, cidr: '10.0.1.0/24', service_types: ['compute:nova'] };
    expect(fault(await bed().call('POST', '/v2.0/subnets', { subnet: body }))).toEqual({
      status: 403,
      type: 'PolicyNotAuthorized',
    });
    const special = await make.subnet(network.id, body, ADMIN);
    const where = async (port: object) => (await make.port(network.id, port))['fixed_ips'] as Row[];
    expect((await where({ device_owner: 'compute:nova' }))[0]!['subnet_id']).toBe(special.id);
    expect((await where({}))[0]!['subnet_id']).toBe(plain.id);
    const change = (service_types: string[], as = {}) =>
      bed().call('PUT', `/v2.0/subnets/${plain.id}`, { subnet: { service_types } }, as);
    expect((await change([])).status).toBe(403);
    expect(fault(await change(['a\r\nb'], ADMIN))).toEqual({ status: 400, type: 'InvalidSubnetServiceType' });
    expect(one(await change(['network:dhcp'], ADMIN), 'subnet')['service_types']).toEqual(['network:dhcp']);
    const attempt = await bed().call('POST', '/v2.0/ports', { port: { network_id: network.id } });
    expect(fault(attempt)).toEqual({ status: 409, type: 'IpAddressGenerationFailureNoMatchingSubnet' });
  });
});

describe('a subnet of IPv6', () => {
  it('keeps the modes that it was made with', async () => {
    const network = await make.network();
    const modes = { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
    const made = await make.subnet(network.id, { ip_version: 6, cidr: 'fd00:1::/64', ...modes });
    expect(made).toMatchObject(modes);
    const change = async (subnet: object) => fault(await bed().call('PUT', `/v2.0/subnets/${made.id}`, { subnet }));
    expect(await change({ enable_dhcp: false })).toEqual({ status: 400, type: 'InvalidInput' });
    expect(await change({ ipv6_ra_mode: 'dhcpv6-stateful' })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect((await change({ gateway_ip: 'fe80::1', dns_nameservers: ['2001:db8::53'] })).status).toBe(200);
    const routed = await make.subnet(network.id, { ip_version: 6, cidr: 'fd00:2::/64', ipv6_ra_mode: 'slaac' });
    expect(routed).toMatchObject({ ipv6_ra_mode: 'slaac', ipv6_address_mode: null });
    const port = await make.port(network.id, { mac_address: 'fa:16:3e:00:00:0a' });
    expect((port['fixed_ips'] as Row[]).map((ip) => ip['ip_address']).sort()).toEqual([
      'fd00:1::f816:3eff:fe00:a',
      'fd00:2::f816:3eff:fe00:a',
    ]);
  });
});

describe('a subnet in use', () => {
  it('is kept, and the answer names what uses it', async () => {
    const network = await make.network();
    const subnet = await make.subnet(network.id);
    const port = await make.port(network.id);
    for (const [path, type] of [
      [`/v2.0/subnets/${subnet.id}`, 'SubnetInUse'],
      [`/v2.0/networks/${network.id}`, 'NetworkInUse'],
    ] as const) {
      const refused = await bed().call('DELETE', path);
      expect(fault(refused)).toEqual({ status: 409, type });
      expect(JSON.stringify(refused.body)).toContain(port.id);
    }
  });

  it('lets pools, routes and DHCP be changed under its ports', async () => {
    const network = await make.network();
    const subnet = await make.subnet(network.id);
    const port = await make.port(network.id, { fixed_ips: [{ ip_address: '10.0.0.99' }] });
    const change = (body: object) => bed().call('PUT', `/v2.0/subnets/${subnet.id}`, { subnet: body });
    const pools = [{ start: '10.0.0.200', end: '10.0.0.201' }];
    expect(one(await change({ allocation_pools: pools }), 'subnet')['allocation_pools']).toEqual(pools);
    expect((await change({ host_routes: [{ destination: '10.9.0.0/16', nexthop: '10.0.0.99' }] })).status).toBe(200);
    expect((await change({ enable_dhcp: false })).status).toBe(200);
    expect((await change({ enable_dhcp: true })).status).toBe(200);
    expect((await make.port(network.id))['fixed_ips']).toEqual([{ subnet_id: subnet.id, ip_address: '10.0.0.201' }]);
    const full = await bed().call('POST', '/v2.0/ports', { port: { network_id: network.id } });
    expect(fault(full)).toEqual({ status: 409, type: 'IpAddressGenerationFailure' });
    const shown = one(await bed().call('GET', `/v2.0/ports/${port.id}`), 'port');
    expect(shown['fixed_ips']).toEqual([{ subnet_id: subnet.id, ip_address: '10.0.0.99' }]);
  });

  it('gives addresses of its widest kind', async () => {
    const network = await make.network();
    await make.subnet(network.id, { ip_version: 6, cidr: 'fd00::/8' });
    const made = await Promise.all([make.port(network.id), make.port(network.id)]);
    expect(made.map((port) => (port['fixed_ips'] as Row[])[0]!['ip_address']).sort()).toEqual(['fd00::2', 'fd00::3']);
    const none = await make.subnet(network.id, { cidr: '192.0.2.4/32', enable_dhcp: false, gateway_ip: null });
    const one32 = await make.port(network.id, { fixed_ips: [{ subnet_id: none.id }] });
    expect((one32['fixed_ips'] as Row[])[0]!['ip_address']).toBe('192.0.2.4');
  });
});
