/** Addresses that a server gets and loses by way of compute: what is asked of the network service, and its refusals. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { DEMO, fakeRest, GROUP, NETWORK, ORDER, openStage, PORT, type Stage, tokenOf } from '../compute.fixture.js';

const OTHER = '66666666-6666-4666-8666-666666666666';
let stage: Stage;
let server: string;
beforeAll(async () => {
  stage = await openStage();
  server = await stage.boot();
});
afterAll(() => stage.close());

const answer = (call: string, status: number, body?: unknown) => fakeRest.answers.set(call, { status, body });
const act = (body: unknown, at = '2.1', id = server) => stage.ask('POST', `/v2.1/servers/${id}/action`, { at, body });
const held = [{ subnet_id: GROUP, ip_address: '10.0.0.5' }];
const six = { subnet_id: OTHER, ip_address: '2001:db8::5' };
const subnet = (id: string, ipv6_address_mode: string | null = null) => ({ id, ipv6_address_mode, ipv6_ra_mode: null });
const sent = () =>
  fakeRest.asked.filter(({ method }) => method === 'PUT').map(({ path, body }) => [path, JSON.parse(body)]);
const add = { addFixedIp: { networkId: NETWORK } };

beforeEach(() => {
  fakeRest.asked.length = 0;
  fakeRest.answers.clear();
  const ports = [
    // Not given to the server by compute, whatever its tenant wrote on it.
    { id: OTHER, revision_number: 3, fixed_ips: [{ subnet_id: GROUP, ip_address: '10.0.0.66' }] },
    { id: PORT, revision_number: 4, fixed_ips: [...held, six] },
  ];
  answer(`GET /v2.0/ports?device_id=${server}&network_id=${NETWORK}`, 200, { ports });
  answer(`GET /v2.0/ports?device_id=${server}`, 200, { ports });
  answer(`GET /v2.0/subnets?network_id=${NETWORK}`, 200, { subnets: [subnet(OTHER, 'slaac'), subnet(GROUP)] });
  answer(`PUT /v2.0/ports/${PORT}`, 200, { port: {} });
});

it('gives one more address of a network to the server’s own port there, in the name of the caller', async () => {
  const done = await act(add);
  expect([done.status, done.body]).toEqual([202, undefined]);
  expect(sent()).toEqual([[`/v2.0/ports/${PORT}`, { port: { fixed_ips: [...held, six, { subnet_id: GROUP }] } }]]);
  expect(fakeRest.asked.at(-1)!.token.split('.')[0]).toBe(tokenOf(DEMO).split('.')[0]);
});

it('takes an address away, however it is written', async () => {
  expect((await act({ removeFixedIp: { address: '10.0.0.5' } })).status).toBe(202);
  expect((await act({ removeFixedIp: { address: '2001:DB8:0::5' } })).status).toBe(202);
  expect(sent().map(([, body]) => body)).toEqual([{ port: { fixed_ips: [six] } }, { port: { fixed_ips: held } }]);
});

it('writes over nothing that somebody else has changed meanwhile', async () => {
  const revised = { NeutronError: { type: 'RevisionNumberConstraintFailed', message: 'Constrained to 4', detail: '' } };
  answer(`PUT /v2.0/ports/${PORT}`, 412, revised);
  expect((await act(add)).status).toBe(409);
  expect((await act({ removeFixedIp: { address: '10.0.0.5' } })).status).toBe(409);
  const puts = fakeRest.asked.filter(({ method }) => method === 'PUT');
  expect(puts).toHaveLength(20);
  expect(new Set(puts.map(({ ifMatch }) => ifMatch))).toEqual(new Set(['revision_number=4']));

  fakeRest.asked.length = 0;
  fakeRest.once.set(`PUT /v2.0/ports/${PORT}`, { status: 412, body: revised });
  answer(`PUT /v2.0/ports/${PORT}`, 200, { port: {} });
  expect((await act(add)).status).toBe(202);
  expect(fakeRest.asked.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)).toEqual(
    [...Array(2)].flatMap(() => ['GET /v2.0/ports', 'GET /v2.0/subnets', `PUT /v2.0/ports/${PORT}`]),
  );
});

it('refuses what is not there, in the words of compute', async () => {
  const message = async (body: unknown) => {
    const { status, body: shown } = await act(body);
    return [status, shown.badRequest?.message];
  };
  for (const address of ['10.0.0.66', '10.0.0.9'])
    expect(await message({ removeFixedIp: { address } })).toEqual([
      400,
      `Instance ${server} has no fixed IP '${address}'.`,
    ]);
  answer(`PUT /v2.0/ports/${PORT}`, 409, {
    NeutronError: { type: 'IpAddressGenerationFailure', message: 'none', detail: '' },
  });
  expect(await message(add)).toEqual([400, `No fixed IP addresses available for network: ${NETWORK}`]);
  answer(`GET /v2.0/ports?device_id=${server}&network_id=1`, 200, { ports: [] });
  expect(await message({ addFixedIp: { networkId: 1 } })).toEqual([
    400,
    `Network could not be found for instance ${server}.`,
  ]);
  for (const body of [
    { addFixedIp: {} },
    { addFixedIp: { networkId: '' } },
    { addFixedIp: { networkId: NETWORK, more: 1 } },
    { removeFixedIp: { address: 'x' } },
    { removeFixedIp: {} },
  ])
    expect((await act(body)).status, JSON.stringify(body)).toBe(400);
  expect(sent()).toHaveLength(1);
});

it('is there up to 2.43, for servers that are neither locked nor busy', async () => {
  expect((await act(add, '2.43')).status).toBe(202);
  expect((await act(add, '2.44')).status).toBe(400);
  const locked = await stage.boot();
  expect((await act({ lock: null }, '2.1', locked)).status).toBe(202);
  expect((await act(add, '2.1', locked)).status).toBe(409);
  const made = await stage.ask('POST', '/v2.1/servers', { body: { server: ORDER } });
  expect((await act(add, '2.1', made.body.server.id)).status).toBe(409);
  expect(sent()).toHaveLength(1);
});
