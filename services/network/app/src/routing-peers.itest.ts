/** What compute and the operator's command hear of routers and floating IPs. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { networkV1, operatorV1 } from '#libs/contract';
import { connectGrpc, type Remote } from '#libs/platform/grpc';
import { ADMIN, type Outside, one, Routing, type Row, soon } from './routing.fixture.js';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let on: Routing;
let ports: Remote<typeof networkV1.PortsService>;
let operator: Remote<typeof operatorV1.OperatorService>;
let out: Outside;
let network: Row;
let router: Row;
beforeAll(async () => {
  bed = await testbed();
  on = new Routing(bed);
  ports = connectGrpc(networkV1.PortsService, [bed.grpcAddress], 'network', bed.tls('compute'));
  operator = connectGrpc(operatorV1.OperatorService, [bed.grpcAddress], 'network', bed.tls('cli'));
  out = await on.outside('203.0.113.0/24');
  network = await on.network();
  const subnet = await on.subnet(network, '10.0.0.0/24');
  router = await on.router({ external_gateway_info: { network_id: out.network.id } });
  await on.add(router, { subnet_id: subnet.id });
});
afterAll(async () => {
  ports.close();
  operator.close();
  await bed.close();
});

const serverPort = async (serverId: string): Promise<string> => {
  const portId = randomUUID();
  const nic = { portId, adopt: false, networkId: network.id, fixedIp: '', tag: '' };
  const texts = { host: '', hostname: 'web', availabilityZone: '' };
  const base = { serverId, projectId: 'p1', fence: 1, seq: 1, nics: [nic], securityGroupIds: [] };
  await ports.ensureForServer({ ...base, ...texts });
  return portId;
};

it('tells compute the floating IPs of its servers', async () => {
  const [serverId, other] = [randomUUID(), randomUUID()];
  const portId = await serverPort(serverId);
  await serverPort(other);
  const floating = one(await on.floating({ floating_network_id: out.network.id, port_id: portId }), 'floatingip');
  const { floatingIps } = await ports.listFloatingIps({ serverIds: [serverId, other] });
  const fixedAddress = String(floating['fixed_ip_address']);
  expect(floatingIps).toEqual([{ serverId, portId, fixedAddress, address: floating['floating_ip_address'] }]);
  expect((await ports.listFloatingIps({ serverIds: [] })).floatingIps).toEqual([]);
});

it('keeps servers of tenants off networks that lead out', async () => {
  const nic = { portId: '', adopt: false, networkId: out.network.id, fixedIp: '', tag: '' };
  const wish = (projectId: string, isAdmin = false, nics = [nic]) =>
    ports.validate({
      projectId,
      nics,
      securityGroups: [],
      count: 1,
      auto: nics.length === 0,
      allocate: false,
      isAdmin,
    });
  const refused = { kind: 'forbidden', type: 'ExternalNetworkAttachForbidden' };
  // Its own project is no exception, nor does such a network count where none is named.
  for (const project of ['p1', 'p2']) await expect(wish(project)).rejects.toMatchObject(refused);
  expect((await wish('p1', false, [])).nics.map((each) => each.networkId)).toEqual([network.id]);
  expect((await wish('p2', true)).nics).toHaveLength(1);
  const open = { network: { shared: true } };
  expect((await bed.call('PUT', `/v2.0/networks/${out.network.id}`, open, ADMIN)).status).toBe(200);
  expect((await wish('p2')).nics).toHaveLength(1);
});

it('tells the auditor of routers, floating IPs and forwardings in the books and in OVN', async () => {
  const floating = one(await on.floating({ floating_network_id: out.network.id }), 'floatingip');
  const port = await on.port(network);
  const body = { protocol: 'tcp', internal_port_id: port.id, internal_port: 22, external_port: 22 };
  await bed.call('POST', `/v2.0/floatingips/${floating.id}/port_forwardings`, { port_forwarding: body });
  const sides = async () => {
    const { rows } = await operator.books({});
    const settled = rows.filter((row) => row.facts['dirty'] !== 'true');
    const idsOf = (kind: string) =>
      settled
        .filter((row) => row.kind === kind)
        .map((row) => row.id)
        .sort();
    return ['port', 'router', 'floatingip', 'port_forwarding'].map((kind) => ({
      kind,
      known: idsOf(kind),
      realized: idsOf(`ovn_${kind}`),
    }));
  };
  const counts = async () => (await sides()).map(({ kind, known }) => `${kind} ${known.length}`);
  await soon(counts).toEqual(['port 5', 'router 1', 'floatingip 1', 'port_forwarding 1']);
  for (const { known, realized } of await sides()) expect(realized).toEqual(known);
  bed.ovn.tool('ovn-nbctl', 'lr-add', 'stranger');
  const foreign = async () => (await operator.books({})).rows.filter((row) => row.kind === 'ovn_foreign');
  await soon(async () => (await foreign()).map((row) => row.facts)).toEqual([{ table: 'Logical_Router' }]);
});
