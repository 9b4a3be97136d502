import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkV1, operatorV1 } from '#libs/contract';
import { connectGrpc, type Remote } from '#libs/platform/grpc';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let ports: Remote<typeof networkV1.PortsService>;
let operator: Remote<typeof operatorV1.OperatorService>;
let networkId: string;
let fence = 0;

const connect = <D extends typeof networkV1.PortsService | typeof operatorV1.OperatorService>(
  definition: D,
  as: string,
): Remote<D> => connectGrpc(definition, [bed.grpcAddress], 'network', bed.tls(as));

beforeAll(async () => {
  bed = await testbed({ dnsServers: ['9.9.9.9'] });
  ports = connect(networkV1.PortsService, 'compute');
  operator = connect(operatorV1.OperatorService, 'cli');
  networkId = await makeNetwork();
});
afterAll(async () => {
  const rows = (await bed.service.books.quotas.audit(bed.service.db)).filter((row) => row.recorded !== row.counted);
  expect(rows).toEqual([]);
  ports.close();
  operator.close();
  await bed.close();
});

async function makeNetwork(project = 'p1', cidr = '10.0.0.0/24'): Promise<string> {
  const made = await bed.call('POST', '/v2.0/networks', { network: { name: 'net' } }, { project });
  const { id } = made.body['network'] as { id: string };
  if (cidr) await bed.call('POST', '/v2.0/subnets', { subnet: { network_id: id, cidr, ip_version: 4 } }, { project });
  return id;
}
async function makePort(body: object = {}, project = 'p1'): Promise<{ id: string; mac_address: string }> {
  const made = await bed.call('POST', '/v2.0/ports', { port: { network_id: networkId, ...body } }, { project });
  return made.body['port'] as { id: string; mac_address: string };
}
const nic = (more: Partial<networkV1.Nic> = {}): networkV1.Nic => ({
  portId: randomUUID(),
  adopt: false,
  networkId,
  fixedIp: '',
  tag: '',
  ...more,
});
const ensure = (serverId: string, nics: networkV1.Nic[], more: Partial<networkV1.EnsureForServerRequest> = {}) => {
  fence += 1;
  const base = {
    serverId,
    projectId: 'p1',
    host: '',
    fence,
    seq: 1,
    nics,
    securityGroupIds: [],
    hostname: 'web',
    availabilityZone: 'nova',
  };
  return ports.ensureForServer({ ...base, ...more });
};
const release = (serverId: string) => {
  fence += 1;
  return ports.releaseForServer({ serverId, fence, seq: 1, portIds: [] });
};
const validate = (more: Partial<networkV1.ValidateRequest>) =>
  ports.validate({
    projectId: 'p1',
    nics: [],
    securityGroups: [],
    count: 1,
    auto: false,
    allocate: false,
    isAdmin: false,
    ...more,
  });
const refusal = (kind: string, type?: string) => expect.objectContaining(type ? { kind, type } : { kind });

describe('the ports of a server', () => {
  it('are made under the ids that compute chose, bound, and deleted', async () => {
    const serverId = randomUUID();
    const wanted = nic();
    const { ports: made } = await ensure(serverId, [wanted]);
    expect(made).toHaveLength(1);
    expect(made[0]).toMatchObject({
      id: wanted.portId,
      networkId,
      networkName: 'net',
      mtu: 1442,
      adopted: false,
      status: 'DOWN',
      host: '',
      securityGroups: [{ name: 'default' }],
      fixedIps: [{ version: 4, cidr: '10.0.0.0/24', gateway: '10.0.0.1', dns: ['9.9.9.9'], routes: [] }],
    });
    expect(made[0]?.metadataPortId).toMatch(/^[0-9a-f-]{36}$/);
    fence += 1;
    const bound = await ports.bind({ serverId, host: 'node-1', fence, seq: 1 });
    expect(bound.ports[0]?.host).toBe('node-1');
    const shown = await bed.call('GET', `/v2.0/ports?device_id=${serverId}`, undefined, { roles: ['admin'] });
    expect((shown.body['ports'] as object[])[0]).toMatchObject({
      id: wanted.portId,
      device_owner: 'compute:nova',
      'binding:host_id': 'node-1',
    });
    await release(serverId);
    await release(serverId);
    expect((await bed.call('GET', `/v2.0/ports/${wanted.portId}`)).status).toBe(404);
  });

  it('may be deleted by their tenant, and then the server goes on without', async () => {
    const serverId = randomUUID();
    const [first, second] = [nic(), nic()];
    await ensure(serverId, [first, second], { host: 'node-1' });
    expect((await bed.call('DELETE', `/v2.0/ports/${first.portId}`)).status).toBe(204);
    fence += 1;
    const bound = await ports.bind({ serverId, host: 'node-2', fence, seq: 1 });
    expect(bound.ports.map((port) => port.id)).toEqual([second.portId]);
    await release(serverId);
    expect((await bed.call('GET', `/v2.0/ports/${second.portId}`)).status).toBe(404);
  });

  it('are the same ones when asked for again, and an overtaken call is refused', async () => {
    const serverId = randomUUID();
    const wanted = nic();
    const request = {
      serverId,
      projectId: 'p1',
      host: '',
      fence: 1000,
      seq: 3,
      nics: [wanted],
      securityGroupIds: [],
      hostname: '',
      availabilityZone: '',
    };
    const first = await ports.ensureForServer(request);
    expect(await ports.ensureForServer(request)).toEqual(first);
    expect(await ports.ensureForServer({ ...request, seq: 4 })).toMatchObject({
      ports: [{ id: wanted.portId, mac: first.ports[0]?.mac }],
    });
    await ports.releaseForServer({ serverId, fence: 1001, seq: 1, portIds: [] });
    await expect(ports.ensureForServer({ ...request, seq: 5 })).rejects.toEqual(refusal('fenced'));
    expect((await ports.listForServers({ serverIds: [serverId] })).servers).toEqual([{ serverId, ports: [] }]);
  });

  it('that the tenant brought are adopted and given back', async () => {
    const serverId = randomUUID();
    const own = await makePort();
    const checked = await validate({ nics: [nic({ portId: own.id, adopt: true, networkId: '' })] });
    expect(checked.nics[0]?.networkId).toBe(networkId);
    const { ports: made } = await ensure(serverId, [...checked.nics, nic()], { host: 'node-2' });
    expect(made.map((port) => port.adopted)).toEqual([true, false]);
    expect(made[0]).toMatchObject({ id: own.id, mac: own.mac_address, host: 'node-2' });
    await expect(validate({ nics: [nic({ portId: own.id, adopt: true })] })).rejects.toEqual(
      refusal('conflict', 'PortInUse'),
    );
    await expect(ensure(randomUUID(), [nic({ portId: own.id, adopt: true })])).rejects.toEqual(
      refusal('conflict', 'PortInUse'),
    );
    await release(serverId);
    const back = (await bed.call('GET', `/v2.0/ports/${own.id}`)).body['port'];
    expect(back).toMatchObject({ device_id: '', device_owner: '' });
  });

  it('leave nothing behind when they can not be made, and say the same again', async () => {
    const serverId = randomUUID();
    const taken = (await makePort({ fixed_ips: [{ ip_address: '10.0.0.200' }] })).id;
    const nics = [nic(), nic({ fixedIp: '10.0.0.200' })];
    await expect(ensure(serverId, nics)).rejects.toEqual(refusal('conflict', 'IpAddressAlreadyAllocated'));
    expect((await ports.listForServers({ serverIds: [serverId] })).servers[0]?.ports).toEqual([]);
    await bed.call('DELETE', `/v2.0/ports/${taken}`);
    const again = {
      serverId,
      projectId: 'p1',
      host: '',
      fence,
      seq: 1,
      nics,
      securityGroupIds: [],
      hostname: '',
      availabilityZone: '',
    };
    await expect(ports.ensureForServer(again)).rejects.toEqual(refusal('conflict', 'IpAddressAlreadyAllocated'));
    expect((await ports.ensureForServer({ ...again, seq: 2 })).ports).toHaveLength(2);
  });

  it('change their groups', async () => {
    const serverId = randomUUID();
    const portIds = (await ensure(serverId, [nic(), nic()])).ports.map((port) => port.id);
    const foreign = await makePort({ device_id: serverId });
    await bed.call('POST', '/v2.0/security-groups', { security_group: { name: 'web' } });
    const namesOf = (list: readonly networkV1.Port[]) =>
      list.map((port) => port.securityGroups.map((group) => group.name).sort());
    const names = async (add: string[], remove: string[]) => {
      const told = (await ports.setServerGroups({ serverId, projectId: 'p1', add, remove, portIds })).ports;
      expect(namesOf(told.filter((port) => port.id === foreign.id))).toEqual([['default']]);
      return namesOf(told.filter((port) => port.id !== foreign.id));
    };
    expect(await names(['web'], [])).toEqual([
      ['default', 'web'],
      ['default', 'web'],
    ]);
    expect(await names([], ['default'])).toEqual([['web'], ['web']]);
    await expect(names([], ['default'])).rejects.toEqual(refusal('notFound', 'SecurityGroupNotFound'));
    await expect(names(['nonsense'], [])).rejects.toEqual(refusal('notFound', 'SecurityGroupNotFound'));
    await bed.call('POST', '/v2.0/security-groups', { security_group: { name: 'loose', stateful: false } });
    await expect(names(['loose'], [])).rejects.toEqual(refusal('conflict', 'SecurityGroupConflict'));
    expect(await names(['loose'], ['web'])).toEqual([['loose'], ['loose']]);
    await expect(validate({ nics: [nic()], securityGroups: ['loose', 'web'] })).rejects.toEqual(
      refusal('conflict', 'SecurityGroupConflict'),
    );
  });

  it('are for compute alone', async () => {
    const stranger = connect(networkV1.PortsService, 'node-1');
    await expect(stranger.listForServers({ serverIds: [] })).rejects.toEqual(refusal('forbidden'));
    stranger.close();
  });
});

describe('what a tenant wishes', () => {
  it('is checked before anything is made', async () => {
    await expect(validate({ nics: [nic({ networkId: randomUUID() })] })).rejects.toEqual(
      refusal('notFound', 'NetworkNotFound'),
    );
    await expect(validate({ nics: [nic({ networkId: 'x' })] })).rejects.toEqual(refusal('notFound', 'NetworkNotFound'));
    await expect(validate({ nics: [nic({ portId: randomUUID(), adopt: true })] })).rejects.toEqual(
      refusal('notFound', 'PortNotFound'),
    );
    await expect(validate({ nics: [nic({ fixedIp: '192.0.2.1' })] })).rejects.toEqual(
      refusal('invalid', 'InvalidFixedIp'),
    );
    const bare = await makeNetwork('p1', '');
    await expect(validate({ nics: [nic({ networkId: bare })] })).rejects.toEqual(
      refusal('invalid', 'NetworkRequiresSubnet'),
    );
    await expect(validate({ securityGroups: ['nonsense'] })).rejects.toEqual(
      refusal('notFound', 'SecurityGroupNotFound'),
    );
    await expect(validate({ nics: [nic()], projectId: 'p2' })).rejects.toEqual(refusal('notFound', 'NetworkNotFound'));
    await expect(validate({ nics: [nic()], count: 1000 })).rejects.toEqual(refusal('overQuota', 'OverQuota'));
    expect((await validate({ nics: [nic()], projectId: 'p2', isAdmin: true })).nics[0]?.networkId).toBe(networkId);
  });

  it('may leave the network and the groups to us', async () => {
    const project = 'lonely';
    expect((await validate({ projectId: project, auto: true })).nics).toEqual([]);
    const only = await makeNetwork(project);
    const reply = await validate({ projectId: project, auto: true });
    expect(reply.nics.map((n) => n.networkId)).toEqual([only]);
    expect(reply.securityGroupIds).toHaveLength(1);
    await makeNetwork(project);
    await expect(validate({ projectId: project, auto: true })).rejects.toEqual(refusal('conflict', 'NetworkAmbiguous'));
  });

  it('are on a network made for them where their project has none and asks for any', async () => {
    const wish = { projectId: 'homeless', auto: true, allocate: true };
    await expect(validate(wish)).rejects.toEqual(refusal('preconditionFailed', 'UnableToAutoAllocateNetwork'));
    const admin = { roles: ['admin'] };
    const outside = { network: { 'router:external': true, is_default: true } };
    const { id } = (await bed.call('POST', '/v2.0/networks', outside, admin)).body['network'] as { id: string };
    await bed.call(
      'POST',
      '/v2.0/subnets',
      { subnet: { network_id: id, ip_version: 4, cidr: '203.0.113.0/24' } },
      admin,
    );
    const subnetpool = { name: 'any', prefixes: ['10.80.0.0/20'], default_prefixlen: 26, is_default: true };
    await bed.call('POST', '/v2.0/subnetpools', { subnetpool }, admin);
    const [first, ...more] = (await validate(wish)).nics;
    expect(more).toEqual([]);
    expect((await validate(wish)).nics).toEqual([first]);
    const shown = await bed.call('GET', `/v2.0/networks/${first?.networkId}`, undefined, { project: 'homeless' });
    expect(shown.body['network']).toMatchObject({ name: 'auto_allocated_network', project_id: 'homeless' });
  });
});

describe('the operator', () => {
  it('reads books in which everything matches', async () => {
    await ensure(randomUUID(), [nic()], { host: 'node-1' });
    const matching = async () => {
      const { rows } = await operator.books({});
      const ids = (kind: string) =>
        rows
          .filter((row) => row.kind === kind)
          .map((row) => row.id)
          .sort();
      const dirty = rows.filter((row) => row.facts['dirty'] === 'true').length;
      return (
        dirty === 0 &&
        ids('port').join() === ids('ovn_port').join() &&
        ids('security_group').join() === ids('ovn_port_group').join()
      );
    };
    await expect.poll(matching, { timeout: 5000 }).toBe(true);
    const { rows } = await operator.books({});
    const uneven = rows.filter((row) => row.kind === 'usage' && row.facts['recorded'] !== row.facts['counted']);
    expect(uneven).toEqual([]);
    expect(rows.filter((row) => row.kind === 'port' && row.serverId !== '').length).toBeGreaterThan(0);
  });

  it('learns what happened to a server and its ports', async () => {
    const serverId = randomUUID();
    const wanted = nic();
    await ensure(serverId, [wanted]);
    await release(serverId);
    const { events } = await operator.trace({ id: serverId });
    expect(events.map((event) => event.what)).toEqual(['ensure ports', 'release ports']);
    expect(events[0]?.relatedIds).toContain(wanted.portId);
    const port = (await operator.trace({ id: wanted.portId })).events.filter(
      (event) => !event.what.includes('on its way'),
    );
    expect(port.map((event) => event.what)).toEqual(['port created', 'port deleted']);
    expect(port[0]?.requestId).toMatch(/^req-/);
  });

  it('sees that all is well', async () => {
    const { lines, process } = await operator.status({});
    expect(process).toBe('network');
    expect(lines.map((line) => `${line.name}: ${line.state}`)).toEqual([
      'database: ok',
      'tokens: ok',
      'ovn northbound: ok',
      'changes on their way into ovn: ok',
    ]);
  });
});
