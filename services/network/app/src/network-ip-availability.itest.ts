import { describe, expect, it } from 'vitest';
import { ADMIN, fault, makers, many, one, sharedTestbed } from './client.fixture.js';

const bed = sharedTestbed();
const make = makers(bed);
const PATH = '/v2.0/network-ip-availabilities';

describe('the addresses of a network', () => {
  it('are counted by subnet, what ports and the cloud itself hold among them', async () => {
    const network = await make.network({ name: 'counted' });
    const four = await make.subnet(network.id, { name: 'four', cidr: '10.1.0.0/24', enable_dhcp: false });
    const six = await make.subnet(network.id, { name: 'six', cidr: 'fd00::/64', ip_version: 6, enable_dhcp: false });
    const fixed_ips = [{ subnet_id: four.id }];
    await Promise.all(Array.from({ length: 5 }, () => make.port(network.id, { fixed_ips })));
    const answer = await bed().call('GET', `${PATH}/${network.id}`, undefined, ADMIN);
    expect(one(answer, 'network_ip_availability')).toMatchObject({
      network_id: network.id,
      network_name: 'counted',
      project_id: 'p1',
      tenant_id: 'p1',
      used_ips: 5,
      subnet_ip_availability: [
        { subnet_id: four.id, subnet_name: 'four', cidr: '10.1.0.0/24', ip_version: 4, total_ips: 253, used_ips: 5 },
        { subnet_id: six.id, subnet_name: 'six', cidr: 'fd00::/64', ip_version: 6, used_ips: 0 },
      ],
    });
    const byVersion = await bed().call('GET', `${PATH}?ip_version=4&network_id=${network.id}`, undefined, ADMIN);
    expect(many(byVersion, 'network_ip_availabilities')).toMatchObject([
      { network_id: network.id, total_ips: 253, used_ips: 5, subnet_ip_availability: [{ subnet_id: four.id }] },
    ]);
  });

  it('of IPv6 are written to their last digit', async () => {
    const network = await make.network();
    await make.subnet(network.id, { cidr: 'fd01::/64', ip_version: 6 });
    const url = `${bed().url}${PATH}/${network.id}?fields=total_ips`;
    const reply = await fetch(url, { headers: { 'x-auth-token': bed().token('p1', ADMIN.roles) } });
    expect(await reply.text()).toBe('{"network_ip_availability":{"total_ips":18446744073709551614}}');
  });

  it('are shown for a network without subnets, and found by its name', async () => {
    const network = await make.network({ name: 'bare' });
    const found = await bed().call('GET', `${PATH}?network_name=bare`, undefined, ADMIN);
    expect(many(found, 'network_ip_availabilities')).toMatchObject([
      { network_id: network.id, total_ips: 0, used_ips: 0, subnet_ip_availability: [] },
    ]);
    const none = await bed().call('GET', `${PATH}?network_id=nonsense`, undefined, ADMIN);
    expect(many(none, 'network_ip_availabilities')).toEqual([]);
  });

  it('are the administrators’ to see', async () => {
    const network = await make.network();
    expect(many(await bed().call('GET', PATH), 'network_ip_availabilities')).toEqual([]);
    expect(fault(await bed().call('GET', `${PATH}/${network.id}`))).toEqual({ status: 404, type: 'NetworkNotFound' });
    expect(fault(await bed().call('GET', `${PATH}/none`, undefined, ADMIN)).status).toBe(404);
    expect(fault(await bed().call('GET', `${PATH}?colour=red`, undefined, ADMIN)).status).toBe(400);
  });
});
