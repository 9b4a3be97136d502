import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ADMIN, fault, makers, many, one, type Row, sharedTestbed } from './client.fixture.js';

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

  it('of the cloud show who owns them, and go with their network', async () => {
    const network = await make.network();
    await make.subnet(network.id);
    const [metadata] = many(await bed().call('GET', `/v2.0/ports?network_id=${network.id}`), 'ports');
    expect(metadata).toMatchObject({
      device_owner: 'network:distributed',
      device_id: `ovnmeta-${network.id}`,
      project_id: '',
      security_groups: [],
    });
    const rename = { port: { name: 'mine' } };
    expect(fault(await bed().call('PUT', `/v2.0/ports/${metadata!.id}`, rename))).toEqual({
      status: 403,
      type: 'PolicyNotAuthorized',
    });
    expect((await bed().call('DELETE', `/v2.0/networks/${network.id}`)).status).toBe(204);
    expect((await bed().call('GET', `/v2.0/ports/${metadata!.id}`)).status).toBe(404);
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

describe('what a port is told by DHCP', () => {
  const nb = async (table: string, ...columns: string[]) =>
    JSON.parse(await bed().ovn.tool('ovn-nbctl', '--format=json', `--columns=${columns.join()}`, 'list', table)) as {
      data: unknown[][];
    };
  const ownRows = async () =>
    (await nb('DHCP_Options', 'external_ids', 'options')).data.map((row) => JSON.stringify(row));

  it('is kept as it was said, and reaches OVN as far as OVN has words for it', async () => {
    const network = await make.network();
    await make.subnet(network.id);
    const opts = [
      { opt_name: 'bootfile-name', opt_value: 'pxelinux.0', ip_version: 4 },
      { opt_name: 'server-ip-address', opt_value: '2015::badd', ip_version: 4 },
      { opt_name: 'my-own', opt_value: '"; drop', ip_version: 4 },
    ];
    const port = await make.port(network.id, { extra_dhcp_opts: opts.map(({ ip_version: _, ...opt }) => opt) });
    expect(port['extra_dhcp_opts']).toEqual(opts);
    const mine = async () => (await ownRows()).filter((row) => row.includes(port.id));
    await expect.poll(mine).toEqual([expect.stringContaining('pxelinux.0')]);
    expect((await mine())[0]).not.toMatch(/drop|badd/);
    const change = (...extra_dhcp_opts: object[]) =>
      bed().call('PUT', `/v2.0/ports/${port.id}`, { port: { extra_dhcp_opts } });
    const changed = await change({ opt_name: 'my-own', opt_value: null }, { opt_name: 'mtu', opt_value: '1300' });
    expect((one(changed, 'port')['extra_dhcp_opts'] as Row[]).map((opt) => opt['opt_name'])).toEqual([
      'bootfile-name',
      'server-ip-address',
      'mtu',
    ]);
    await expect.poll(mine).toEqual([expect.stringContaining('"1300"')]);
    for (const bad of [
      { opt_name: 'wpad', opt_value: 'a\r\nb' },
      { opt_name: 'a\nb', opt_value: 'x' },
      { opt_name: '', opt_value: 'x' },
      { opt_name: 'wpad', opt_value: '' },
      { opt_name: 'wpad', opt_value: 'x'.repeat(300) },
    ])
      expect(fault(await change(bad)), JSON.stringify(bad)).toEqual({ status: 400, type: 'InvalidInput' });
    expect(fault(await change({ opt_name: 'wpad' }))).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(fault(await change({ opt_name: 'wpad', opt_value: 'x', ip_version: 5 }))).toEqual({
      status: 400,
      type: 'HTTPBadRequest',
    });
    // What the subnet says for all is said to this port too.
    const shown = one(await bed().call('GET', `/v2.0/networks/${network.id}`), 'network');
    const [subnetId] = shown['subnets'] as string[];
    await bed().call('PUT', `/v2.0/subnets/${subnetId}`, { subnet: { dns_nameservers: ['192.0.2.53'] } });
    await expect.poll(mine).toEqual([expect.stringContaining('192.0.2.53')]);
    await bed().call('DELETE', `/v2.0/ports/${port.id}`);
    await expect.poll(mine).toEqual([]);
  });

  it('includes what it is called', async () => {
    const network = await make.network({ dns_domain: 'my.org.' });
    await make.subnet(network.id);
    const port = await make.port(network.id, { dns_name: 'Web', fixed_ips: [{ ip_address: '10.0.0.77' }] });
    expect(port).toMatchObject({
      dns_name: 'web',
      dns_domain: '',
      dns_assignment: [{ ip_address: '10.0.0.77', hostname: 'web', fqdn: 'web.my.org.' }],
    });
    const records = async () => JSON.stringify((await nb('DNS', 'records')).data);
    await expect.poll(records).toContain('web.my.org');
    const found = await bed().call('GET', '/v2.0/ports?dns_name=web');
    expect(many(found, 'ports').map((row) => row.id)).toEqual([port.id]);
    const change = (body: object) => bed().call('PUT', `/v2.0/ports/${port.id}`, { port: body });
    for (const bad of [{ dns_name: 'a\r\nb' }, { dns_name: 'a_b' }, { dns_domain: 'my.org' }])
      expect(fault(await change(bad))).toEqual({ status: 400, type: 'HTTPBadRequest' });
    expect(one(await change({ dns_name: '' }), 'port')['dns_assignment']).toEqual([
      { ip_address: '10.0.0.77', hostname: 'host-10-0-0-77', fqdn: 'host-10-0-0-77.my.org.' },
    ]);
    await expect.poll(records).not.toContain('web.my.org');
  });
});

describe('the address of a port', () => {
  const free = async () => (await make.port((await make.network()).id)) as Row;
  const change = (id: string, port: object, as: object = ADMIN) => bed().call('PUT', `/v2.0/ports/${id}`, { port }, as);

  it('is changed by administrators, or made anew', async () => {
    const port = await free();
    const path = { mac_address: 'fa:16:3e:12:34:56' };
    expect(fault(await change(port.id, path, {}))).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(fault(await change(port.id, { mac_address: null }, {}))).toEqual({
      status: 403,
      type: 'PolicyNotAuthorized',
    });
    expect(one(await change(port.id, path), 'port')).toMatchObject(path);
    const anew = one(await change(port.id, { mac_address: null }), 'port')['mac_address'];
    expect(anew).toMatch(/^fa:16:3e/);
    expect(anew).not.toBe(path.mac_address);
  });

  it('stays while it is bound, or a device of the cloud has it', async () => {
    const port = await free();
    await change(port.id, { 'binding:host_id': 'node-1' });
    expect(fault(await change(port.id, { mac_address: null }))).toEqual({ status: 409, type: 'PortBound' });
    const own = await free();
    await change(own.id, { device_owner: 'network:dhcp' });
    expect(fault(await change(own.id, { mac_address: null }))).toEqual({
      status: 409,
      type: 'UnsupportedPortDeviceOwner',
    });
  });
});

describe('the owner of a port’s device', () => {
  it('never opens its filter', async () => {
    const shared = await make.network({ shared: true }, ADMIN);
    const other = { project: randomUUID() };
    const port = await make.port(shared.id, { device_owner: 'compute:nova' }, other);
    const own = async (device_owner: string, as: object) =>
      fault(await bed().call('PUT', `/v2.0/ports/${port.id}`, { port: { device_owner } }, as));
    for (const owner of ['network:dhcp', 'neutron:x'])
      expect(await own(owner, other), owner).toMatchObject({ status: 403 });
    // What only the cloud itself gives to ports nobody else does.
    for (const owner of ['network:distributed', 'network:router_interface', 'network:router_gateway'])
      for (const as of [other, ADMIN]) expect(await own(owner, as), owner).toMatchObject({ status: 409 });
    const create = { port: { network_id: shared.id, device_owner: 'network:dhcp' } };
    expect(fault(await bed().call('POST', '/v2.0/ports', create, other))).toMatchObject({ status: 403 });
    expect(await own('network:dhcp', ADMIN)).toMatchObject({ status: 200 });
    // OVN hears of the port a moment after the client does.
    const senders = () => bed().ovn.tool('ovn-nbctl', 'lsp-get-port-security', port.id);
    await expect.poll(senders, { timeout: 8_000 }).toContain(String(port['mac_address']));
  });
});

describe('the attributes of a port', () => {
  it('are kept, or refused where nothing would follow them', async () => {
    const network = await make.network();
    const port = await make.port(network.id, { propagate_uplink_status: false });
    expect(port).toMatchObject({ propagate_uplink_status: false, data_plane_status: null, ip_allocation: 'none' });
    const change = (body: object, as: object = {}) => bed().call('PUT', `/v2.0/ports/${port.id}`, { port: body }, as);
    expect(one(await change({ propagate_uplink_status: true }), 'port')['propagate_uplink_status']).toBe(true);
    expect(fault(await change({ data_plane_status: 'DOWN' }))).toEqual({ status: 403, type: 'PolicyNotAuthorized' });
    expect(one(await change({ data_plane_status: 'DOWN' }, ADMIN), 'port')['data_plane_status']).toBe('DOWN');
    expect(one(await change({ data_plane_status: null }, ADMIN), 'port')['data_plane_status']).toBeNull();
    for (const bad of [
      { data_plane_status: 'GONE' },
      { numa_affinity_policy: 'required' },
      { hints: {} },
      { 'binding:profile': { a: 'b\0c' } },
      { 'binding:profile': { a: 'x'.repeat(5000) } },
      { name: 'a\0b' },
      { device_id: 'x'.repeat(256) },
      { fixed_ips: [{ ip_address: '10.0.0.5\n' }] },
      { allowed_address_pairs: [{ ip_address: '10.0.0.5\r\n' }] },
      { mac_address: 'fa:16:3e:00:00:01\n' },
      { nonsense: 1 },
    ])
      expect((await change(bad, ADMIN)).status, JSON.stringify(bad)).toBe(400);
    expect(fault(await change({ 'binding:vnic_type': 'direct' }))).toEqual({ status: 400, type: 'InvalidInput' });
    expect(one(await change({ name: 'a\r\nb', description: '<&">' }), 'port')).toMatchObject({
      name: 'a\r\nb',
      description: '<&">',
    });
    expect((await bed().call('GET', '/v2.0/ports?nonsense=1')).status).toBe(400);
    expect((await bed().call('GET', '/v2.0/ports?binding:host_id=node-1')).status).toBe(403);
  });

  it('keep groups and pairs as long as it is filtered', async () => {
    const network = await make.network();
    await make.subnet(network.id);
    const port = await make.port(network.id, { allowed_address_pairs: [{ ip_address: '0.0.0.0/0' }] });
    const change = (body: object) => bed().call('PUT', `/v2.0/ports/${port.id}`, { port: body });
    const open = { port_security_enabled: false };
    expect(fault(await change(open))).toEqual({ status: 409, type: 'PortSecurityPortHasSecurityGroup' });
    expect(fault(await change({ ...open, security_groups: [] }))).toEqual({
      status: 409,
      type: 'AddressPairAndPortSecurityRequired',
    });
    const bare = { ...open, security_groups: [], allowed_address_pairs: [] };
    expect(one(await change(bare), 'port')).toMatchObject(bare);
  });
});

describe('a quota’s last places', () => {
  it('go to as many as there are, at twenty asking at once', async () => {
    const as = { project: 'edge' };
    const network = await make.network({}, as);
    await make.subnet(network.id, {}, as);
    await bed().call('PUT', '/v2.0/quotas/edge', { quota: { port: 13 } }, ADMIN);
    const ask = () => bed().call('POST', '/v2.0/ports', { port: { network_id: network.id } }, as);
    for (const round of [1, 2]) {
      const answers = await Promise.all(Array.from({ length: 20 }, ask));
      const made = answers.filter((answer) => answer.status === 201).map((answer) => one(answer, 'port'));
      expect(made, `round ${round}`).toHaveLength(13);
      for (const answer of answers.filter(({ status }) => status !== 201))
        expect(fault(answer)).toEqual({ status: 409, type: 'OverQuota' });
      const addresses = new Set(made.map((port) => (port['fixed_ips'] as Row[])[0]!['ip_address']));
      expect(addresses.size).toBe(13);
      await Promise.all(made.map((port) => bed().call('DELETE', `/v2.0/ports/${port.id}`, undefined, as)));
    }
  });
});
