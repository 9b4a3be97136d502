import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ADMIN, fault, makers, many, one, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed();
const make = makers(bed);

describe('ports', () => {
  it('are made, shown, changed and deleted', async () => {
    const network = await make.network();
    const subnet = await make.subnet(network.id);
    const made = await make.port(network.id, { name: 'p', device_id: 'x' });
    const [group] = many(await bed().call('GET', '/v2.0/security-groups?name=default'), 'security_groups');
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
    expect(one(await bed().call('GET', path), 'port')).toEqual(made);
    const fixed = [{ subnet_id: subnet.id, ip_address: '10.0.0.40' }, { subnet_id: subnet.id }];
    const changed = one(
      await bed().call('PUT', path, {
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
    expect(one(await bed().call('GET', path, undefined, ADMIN), 'port')).toMatchObject({
      'binding:host_id': '',
      'binding:vif_type': 'unbound',
    });
    expect((await bed().call('DELETE', path)).status).toBe(204);
    expect(fault(await bed().call('DELETE', path))).toEqual({ status: 404, type: 'PortNotFound' });
  });

  it('refuse with the names that clients know', async () => {
    const network = await make.network();
    await make.subnet(network.id);
    const first = await make.port(network.id, {
      fixed_ips: [{ ip_address: '10.0.0.20' }],
      mac_address: 'FA:16:3E:77:77:77',
    });
    expect(first['mac_address']).toBe('fa:16:3e:77:77:77');
    const attempt = async (port: object) =>
      fault(await bed().call('POST', '/v2.0/ports', { port: { network_id: network.id, ...port } }));
    expect(await attempt({ fixed_ips: [{ ip_address: '10.0.0.20' }] })).toEqual({
      status: 409,
      type: 'IpAddressAlreadyAllocated',
    });
    expect(await attempt({ mac_address: 'fa:16:3e:77:77:77' })).toEqual({ status: 409, type: 'MacAddressInUse' });
    expect(await attempt({ fixed_ips: [{ ip_address: '192.0.2.1' }] })).toEqual({
      status: 400,
      type: 'InvalidIpForNetwork',
    });
    expect(await attempt({ security_groups: [randomUUID()] })).toEqual({ status: 404, type: 'SecurityGroupNotFound' });
    expect(await attempt({ network_id: randomUUID() })).toEqual({ status: 404, type: 'NetworkNotFound' });
    expect(await attempt({ mac_address: 'not-a-mac' })).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(await attempt({ 'binding:host_id': 'node-1' })).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await attempt({ port_security_enabled: false, security_groups: [randomUUID()] })).toEqual({
      status: 400,
      type: 'PortSecurityAndIPRequiredForSecurityGroups',
    });
    expect(
      await attempt({ port_security_enabled: false, allowed_address_pairs: [{ ip_address: '10.0.0.9' }] }),
    ).toEqual({
      status: 409,
      type: 'AddressPairAndPortSecurityRequired',
    });
    expect(fault(await bed().call('DELETE', `/v2.0/networks/${network.id}`))).toEqual({
      status: 409,
      type: 'NetworkInUse',
    });
  });

  it('keep what they may send from', async () => {
    const network = await make.network();
    await make.subnet(network.id);
    const pairs = [{ ip_address: '10.0.0.100' }, { ip_address: '10.0.0.0/28', mac_address: 'fa:16:3e:00:00:99' }];
    const port = await make.port(network.id, { allowed_address_pairs: pairs });
    expect(port['allowed_address_pairs']).toEqual([
      { ip_address: '10.0.0.100', mac_address: port['mac_address'] },
      { ip_address: '10.0.0.0/28', mac_address: 'fa:16:3e:00:00:99' },
    ]);
  });

  it('are made in bulk', async () => {
    const network = await make.network();
    const body = {
      ports: [
        { network_id: network.id, name: 'a' },
        { network_id: network.id, name: 'b' },
      ],
    };
    expect(many(await bed().call('POST', '/v2.0/ports', body), 'ports').map((port) => port['name'])).toEqual([
      'a',
      'b',
    ]);
  });

  it('of the cloud show who owns them and stay', async () => {
    const network = await make.network();
    await make.subnet(network.id);
    const [metadata] = many(await bed().call('GET', `/v2.0/ports?network_id=${network.id}`), 'ports');
    expect(metadata).toMatchObject({
      device_owner: 'network:distributed',
      device_id: `ovnmeta-${network.id}`,
      project_id: '',
      security_groups: [],
    });
    expect(fault(await bed().call('DELETE', `/v2.0/ports/${metadata!.id}`))).toEqual({
      status: 409,
      type: 'ServicePortInUse',
    });
    expect((await bed().call('DELETE', `/v2.0/networks/${network.id}`)).status).toBe(204);
  });

  it('come in pages with links', async () => {
    const project = 'pager';
    const network = await make.network({}, { project });
    for (let i = 0; i < 5; i++) await make.port(network.id, { name: `p${i}` }, { project });
    const first = await bed().call('GET', '/v2.0/ports?limit=3&sort_key=name&sort_dir=desc&device_owner=', undefined, {
      project,
    });
    expect(many(first, 'ports').map((port) => port['name'])).toEqual(['p4', 'p3', 'p2']);
    const [link] = first.body['ports_links'] as { rel: string; href: string }[];
    expect(link).toMatchObject({
      rel: 'next',
      href: expect.stringContaining('http://cloud.test/network/v2.0/ports?limit=3'),
    });
    const next = await bed().call('GET', link!.href.replace('http://cloud.test/network', ''), undefined, { project });
    expect(many(next, 'ports').map((port) => port['name'])).toEqual(['p1', 'p0']);
    expect((next.body['ports_links'] as { rel: string }[]).map((l) => l.rel)).toEqual(['previous']);
  });
});
