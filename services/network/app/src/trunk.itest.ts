import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkV1 } from '#libs/contract';
import { connectGrpc, type Remote } from '#libs/platform/grpc';
import { type Answer, type Testbed, testbed } from './testbed.fixture.js';

type Row = Record<string, unknown> & { readonly id: string };

let bed: Testbed;
let servers: Remote<typeof networkV1.PortsService>;
let network: Row;
let fence = 0;

beforeAll(async () => {
  bed = await testbed({ physicalNetworks: [{ name: 'public', mtu: 1500 }] });
  servers = connectGrpc(networkV1.PortsService, [bed.grpcAddress], 'network', bed.tls('compute'));
  network = await makeNetwork();
});
afterAll(async () => {
  const uneven = (await bed.service.books.quotas.audit(bed.service.db)).filter((row) => row.recorded !== row.counted);
  expect(uneven).toEqual([]);
  servers.close();
  await bed.close();
});

const ADMIN = { roles: ['admin'] };
const OTHER = { project: 'p2' };
const one = (answer: Answer, name: string): Row => {
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body[name] as Row;
};
const fault = (answer: Answer) => ({
  status: answer.status,
  type: (answer.body['NeutronError'] as Row | undefined)?.['type'],
});
const makeNetwork = async (body: object = {}, as: object = {}) =>
  one(await bed.call('POST', '/v2.0/networks', { network: body }, as), 'network');
const makePort = async (body: object = {}, as: object = {}) =>
  one(await bed.call('POST', '/v2.0/ports', { port: { network_id: network.id, ...body } }, as), 'port');
const vlan = (port: Row, segmentation_id: number | string) => ({
  port_id: port.id,
  segmentation_type: 'vlan',
  segmentation_id,
});
const postTrunk = (body: object, as: object = {}) => bed.call('POST', '/v2.0/trunks', { trunk: body }, as);
const makeTrunk = async (parent: Row, subports: object[] = []) =>
  one(await postTrunk({ port_id: parent.id, sub_ports: subports }), 'trunk');
const change = (trunk: Row, how: 'add' | 'remove', subports: unknown, as: object = {}) =>
  bed.call('PUT', `/v2.0/trunks/${trunk.id}/${how}_subports`, { sub_ports: subports }, as);
const port = async (id: string) => one(await bed.call('GET', `/v2.0/ports/${id}`, undefined, ADMIN), 'port');

/** What OVN has of a port: its parent and its VLAN. */
const inOvn = (id: string): string =>
  bed.ovn.tool('ovn-nbctl', '--bare', '--columns=parent_name,tag_request', 'find', 'Logical_Switch_Port', `name=${id}`);
const untilInOvn = (id: string, parent: string, tag: string) =>
  expect
    .poll(() => inOvn(id).trim().split('\n').join(' '), { timeout: 10_000, interval: 50 })
    .toBe(`${parent} ${tag}`.trim());

describe('trunks', () => {
  it('are made, shown, changed and deleted', async () => {
    const [parent, child] = [await makePort(), await makePort()];
    const made = one(
      await postTrunk({ name: 't', description: 'd', port_id: parent.id, sub_ports: [vlan(child, '7')] }),
      'trunk',
    );
    expect(made).toMatchObject({
      name: 't',
      description: 'd',
      project_id: 'p1',
      port_id: parent.id,
      admin_state_up: true,
      status: 'DOWN',
      sub_ports: [{ port_id: child.id, segmentation_type: 'vlan', segmentation_id: 7 }],
      revision_number: 1,
      tags: [],
    });
    const path = `/v2.0/trunks/${made.id}`;
    expect((await bed.call('GET', `${path}/get_subports`)).body).toEqual({ sub_ports: made['sub_ports'] });
    expect((await bed.call('GET', `/v2.0/trunks?port_id=${parent.id}`)).body['trunks']).toEqual([made]);
    expect((await port(parent.id))['trunk_details']).toEqual({
      trunk_id: made.id,
      sub_ports: [{ ...vlan(child, 7), mac_address: child['mac_address'] }],
    });
    expect(await port(child.id)).toMatchObject({ device_owner: 'trunk:subport' });
    expect(await port(child.id)).not.toHaveProperty('trunk_details');
    const changed = one(await bed.call('PUT', path, { trunk: { name: 'u' } }), 'trunk');
    expect(changed).toMatchObject({ name: 'u', description: 'd', revision_number: 2 });
    expect((await bed.call('DELETE', path)).status).toBe(204);
    expect(fault(await bed.call('GET', path))).toEqual({ status: 404, type: 'TrunkNotFound' });
    expect(await port(child.id)).toMatchObject({ device_owner: '' });
    expect((await bed.call('DELETE', `/v2.0/ports/${parent.id}`)).status).toBe(204);
  });

  it('of another project do not exist, nor do its ports', async () => {
    const foreign = await makePort();
    const trunk = await makeTrunk(foreign);
    const missing = { status: 404, type: 'TrunkNotFound' };
    expect(fault(await bed.call('GET', `/v2.0/trunks/${trunk.id}`, undefined, OTHER))).toEqual(missing);
    expect(fault(await change(trunk, 'add', [], OTHER))).toEqual(missing);
    const hidden = await makePort();
    expect(fault(await postTrunk({ port_id: hidden.id }, OTHER))).toEqual({ status: 404, type: 'PortNotFound' });
    expect((await bed.call('GET', '/v2.0/trunks', undefined, OTHER)).body).toEqual({ trunks: [] });
  });

  it('are as many as the quota allows', async () => {
    const as = { project: 'frugal' };
    const own = await makeNetwork({}, as);
    const parents = [await makePort({ network_id: own.id }, as), await makePort({ network_id: own.id }, as)];
    await bed.call('PUT', '/v2.0/quotas/frugal', { quota: { trunk: 1 } }, ADMIN);
    const both = await Promise.all(parents.map(({ id }) => postTrunk({ port_id: id }, as)));
    expect(both.map((answer) => answer.status).sort()).toEqual([201, 409]);
    expect(both.map(fault)).toContainEqual({ status: 409, type: 'OverQuota' });
  });

  it('refuse input that makes no sense, and change nothing', async () => {
    const [parent, child] = [await makePort(), await makePort()];
    const bad = { status: 400, type: 'HTTPBadRequest' };
    for (const body of [
      {},
      { port_id: 7 },
      { port_id: parent.id, sub_ports: { port_id: child.id } },
      { port_id: parent.id, sub_ports: [{ segmentation_type: 'vlan', segmentation_id: 7 }] },
      { port_id: parent.id, sub_ports: [{ ...vlan(child, 7), nonsense: 1 }] },
      { port_id: parent.id, status: 'ACTIVE' },
    ])
      expect(fault(await postTrunk(body))).toEqual(bad);
    const senseless = { status: 400, type: 'InvalidInput' };
    for (const sub_ports of [
      [{ port_id: child.id }],
      [{ port_id: child.id, segmentation_type: 'vlan' }],
      [{ port_id: child.id, segmentation_type: 'inherit' }],
      [vlan(child, 4095)],
      [vlan(child, 7), vlan(child, 8)],
    ])
      expect(fault(await postTrunk({ port_id: parent.id, sub_ports }))).toEqual(senseless);
    const gone = { status: 404, type: 'PortNotFound' };
    expect(fault(await postTrunk({ port_id: randomUUID() }))).toEqual(gone);
    const stranger = { id: randomUUID() };
    expect(fault(await postTrunk({ port_id: parent.id, sub_ports: [vlan(stranger, 7)] }))).toEqual(gone);
    expect(await port(parent.id)).not.toHaveProperty('trunk_details');
    expect(await port(child.id)).toMatchObject({ device_owner: '' });
  });
});

describe('subports', () => {
  it('come and go, all that are named or none', async () => {
    const [parent, a, b] = [await makePort(), await makePort(), await makePort()];
    const trunk = await makeTrunk(parent);
    const after = await change(trunk, 'add', [vlan(a, 7), vlan(b, 8)]);
    expect(after.body).toMatchObject({ id: trunk.id, sub_ports: [vlan(a, 7), vlan(b, 8)], revision_number: 2 });
    const missing = await change(trunk, 'remove', [{ port_id: a.id }, { port_id: parent.id }]);
    expect(fault(missing)).toEqual({ status: 404, type: 'SubPortNotFound' });
    expect((await change(trunk, 'remove', [{ port_id: a.id }])).body['sub_ports']).toEqual([vlan(b, 8)]);
    expect(await port(a.id)).toMatchObject({ device_owner: '' });
  });

  it('are in one trunk, under one VLAN, and nothing else', async () => {
    const [parent, a, b] = [await makePort(), await makePort(), await makePort()];
    const trunk = await makeTrunk(parent, [vlan(a, 7)]);
    const second = await makeTrunk(await makePort());
    const add = async (to: Row, subport: object) => fault(await change(to, 'add', [subport]));
    expect(await add(trunk, vlan(b, 7))).toEqual({ status: 409, type: 'DuplicateSubPort' });
    expect(await add(second, vlan(a, 7))).toEqual({ status: 409, type: 'TrunkPortInUse' });
    expect(await add(second, vlan(parent, 7))).toEqual({ status: 409, type: 'ParentPortInUse' });
    expect(await add(trunk, vlan(parent, 9))).toEqual({ status: 409, type: 'ParentPortInUse' });
    expect(fault(await postTrunk({ port_id: parent.id }))).toEqual({ status: 409, type: 'ParentPortInUse' });
    expect(fault(await postTrunk({ port_id: a.id }))).toEqual({ status: 409, type: 'TrunkPortInUse' });
    const used = await makePort({ device_id: 'x' });
    expect(await add(trunk, vlan(used, 9))).toEqual({ status: 409, type: 'PortInUse' });
  });

  it('keep their port and their parent from being deleted', async () => {
    const [parent, child] = [await makePort(), await makePort()];
    const trunk = await makeTrunk(parent, [vlan(child, 7)]);
    const remove = async ({ id }: Row) => fault(await bed.call('DELETE', `/v2.0/ports/${id}`));
    expect(await remove(parent)).toEqual({ status: 409, type: 'PortInUseAsTrunkParent' });
    expect(await remove(child)).toEqual({ status: 409, type: 'PortInUseAsSubPort' });
    await change(trunk, 'remove', [{ port_id: child.id }]);
    expect(await remove(child)).toMatchObject({ status: 204 });
  });

  it('stay as they are while their trunk is disabled', async () => {
    const [parent, child] = [await makePort(), await makePort()];
    const trunk = await makeTrunk(parent, [vlan(child, 7)]);
    const path = `/v2.0/trunks/${trunk.id}`;
    const set = (admin_state_up: boolean) => bed.call('PUT', path, { trunk: { admin_state_up } });
    one(await set(false), 'trunk');
    const disabled = { status: 409, type: 'TrunkDisabled' };
    expect(fault(await change(trunk, 'remove', [{ port_id: child.id }]))).toEqual(disabled);
    expect(fault(await change(trunk, 'add', []))).toEqual(disabled);
    expect(fault(await bed.call('DELETE', path))).toEqual(disabled);
    one(await set(true), 'trunk');
    expect((await bed.call('DELETE', path)).status).toBe(204);
  });

  it('inherit the VLAN of their network, and have no larger packets than their parent', async () => {
    const carried = await makeNetwork(
      {
        shared: true,
        mtu: 1400,
        'provider:network_type': 'vlan',
        'provider:physical_network': 'public',
        'provider:segmentation_id': 42,
      },
      ADMIN,
    );
    const child = await makePort({ network_id: carried.id });
    const trunk = await makeTrunk(await makePort());
    const added = await change(trunk, 'add', [{ port_id: child.id, segmentation_type: 'inherit' }]);
    expect(added.body['sub_ports']).toEqual([vlan(child, 42)]);
    const small = await makePort({ network_id: carried.id });
    const large = await makePort();
    expect(fault(await postTrunk({ port_id: small.id, sub_ports: [vlan(large, 7)] }))).toEqual({
      status: 409,
      type: 'SubPortMtuGreaterThanTrunkPortMtu',
    });
  });

  it('are given to one of several trunks that ask at once', async () => {
    const [child, ...parents] = await Promise.all([1, 2, 3, 4].map(() => makePort()));
    const answers = await Promise.all(
      parents.map(({ id }) => postTrunk({ port_id: id, sub_ports: [vlan(child!, 7)] })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409]);
    const [a, b] = await Promise.all([makePort(), makePort()]);
    const crossed = await Promise.all([
      postTrunk({ port_id: a.id, sub_ports: [vlan(b, 7)] }),
      postTrunk({ port_id: b.id, sub_ports: [vlan(a, 7)] }),
    ]);
    expect(crossed.map((answer) => answer.status).sort()).toEqual([201, 409]);
  });
});

describe('what becomes of them', () => {
  it('is in OVN, and is taken back with the trunk', async () => {
    const [parent, child] = [await makePort(), await makePort()];
    const trunk = await makeTrunk(parent, [vlan(child, 7)]);
    await untilInOvn(child.id, parent.id, '7');
    await change(trunk, 'remove', [{ port_id: child.id }]);
    await untilInOvn(child.id, '', '');
    await change(trunk, 'add', [vlan(child, 8)]);
    await untilInOvn(child.id, parent.id, '8');
    await bed.call('DELETE', `/v2.0/trunks/${trunk.id}`);
    await untilInOvn(child.id, '', '');
  });

  it('follows the parent from node to node', async () => {
    const [parent, early, late] = [await makePort(), await makePort(), await makePort()];
    const trunk = await makeTrunk(parent, [vlan(early, 7)]);
    const bind = (host: string) =>
      bed.call('PUT', `/v2.0/ports/${parent.id}`, { port: { 'binding:host_id': host } }, ADMIN);
    one(await bind('node-1'), 'port');
    await change(trunk, 'add', [vlan(late, 8)]);
    for (const { id } of [early, late]) expect(await port(id)).toMatchObject({ 'binding:host_id': 'node-1' });
    one(await bind('node-2'), 'port');
    for (const { id } of [early, late]) expect(await port(id)).toMatchObject({ 'binding:host_id': 'node-2' });
    await change(trunk, 'remove', [{ port_id: late.id }]);
    expect(await port(late.id)).toMatchObject({ 'binding:host_id': '', status: 'DOWN' });
  });

  it('outlives a server whose port was made into a trunk, and is not given to another', async () => {
    await bed.call('POST', '/v2.0/subnets', {
      subnet: { network_id: network.id, cidr: '10.8.0.0/24', ip_version: 4 },
    });
    const child = await makePort();
    const serverId = randomUUID();
    const nic = { portId: randomUUID(), adopt: false, networkId: network.id, fixedIp: '', tag: '' };
    const wanted = { projectId: 'p1', host: 'node-1', hostname: 'web', securityGroupIds: [], availabilityZone: 'nova' };
    const ensure = (server: string, nics: networkV1.Nic[]) =>
      servers.ensureForServer({ ...wanted, serverId: server, fence: ++fence, seq: 1, nics });
    await ensure(serverId, [nic]);
    await makeTrunk({ id: nic.portId }, [vlan(child, 7)]);
    expect(await port(child.id)).toMatchObject({ 'binding:host_id': 'node-1' });
    await expect(ensure(randomUUID(), [{ ...nic, portId: child.id, adopt: true }])).rejects.toMatchObject({
      kind: 'conflict',
    });
    await servers.releaseForServer({ serverId, fence: ++fence, seq: 1, portIds: [] });
    expect(await port(nic.portId)).toMatchObject({ device_id: '', 'binding:host_id': '' });
    expect(await port(child.id)).toMatchObject({ device_owner: 'trunk:subport', 'binding:host_id': '' });
  });
});
