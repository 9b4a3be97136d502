/** Older operations that stand for one of image or network: what is asked there, as whom, and how answers are reworded. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ADMIN,
  DEMO,
  fakeRest,
  GROUP,
  IMAGE,
  NETWORK,
  openStage,
  PORT,
  type Stage,
  tokenOf,
} from './compute.fixture.js';

let stage: Stage;
let server: string;
beforeAll(async () => {
  stage = await openStage();
  server = await stage.boot();
});
afterAll(() => stage.close());
beforeEach(() => {
  fakeRest.asked.length = 0;
  fakeRest.answers.clear();
});

const answer = (call: string, status: number, body?: unknown) => fakeRest.answers.set(call, { status, body });
const ask = (method: string, path: string, body?: unknown, at = '2.1') =>
  stage.ask(method, `/v2.1${path}`, { at, ...(body === undefined ? {} : { body }) });
const refusal = (type: string, message = 'no') => ({ NeutronError: { type, message, detail: '' } });

const image = {
  ...{ id: IMAGE, name: 'tiny', status: 'active', size: 7, min_ram: 1, min_disk: 2, visibility: 'public' },
  ...{ created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-02T00:00:00Z', tags: [], os_distro: 'debian' },
};

describe('images', () => {
  it('are listed with the filters translated, in the name of the caller', async () => {
    const path =
      '/v2/images?limit=2&name=tiny&status=active&updated_at=gte%3A2026&instance_uuid=s1&image_type=snapshot&min_ram=1&k=v';
    answer(`GET ${path}`, 200, { images: [image], next: '/v2/images?marker=x' });
    const query =
      'limit=2&name=tiny&status=ACTIVE&changes-since=2026&server=http://x/servers/s1&type=snapshot&minRam=1&property-k=v&colour=red';
    const shown = await ask('GET', `/images?${query}`);
    expect(shown.status, JSON.stringify(shown.body)).toBe(200);
    expect(shown.body.images.map(({ id }: { id: string }) => id)).toEqual([IMAGE]);
    expect(shown.body.images_links[0].href).toContain(`marker=${IMAGE}`);
    expect(fakeRest.asked[0]).toMatchObject({ method: 'GET', contentType: '', body: '' });
    expect(fakeRest.asked[0]!.token.split('.')[0]).toBe(tokenOf(DEMO).split('.')[0]);
  });

  it('are shown as of old', async () => {
    answer(`GET /v2/images/${IMAGE}`, 200, { ...image, instance_uuid: server });
    expect((await ask('GET', `/images/${IMAGE}`)).body.image).toMatchObject({
      id: IMAGE,
      status: 'ACTIVE',
      progress: 100,
      minRam: 1,
      minDisk: 2,
      metadata: { os_distro: 'debian', instance_uuid: server },
      'OS-EXT-IMG-SIZE:size': 7,
      server: { id: server },
    });
    expect((await ask('GET', `/images/${IMAGE}`, undefined, '2.36')).status).toBe(404);
    expect((await ask('GET', '/images/none')).body.itemNotFound.message).toBe('Image not found.');
    expect((await ask('GET', '/images/..%2Fstores')).status).toBe(404);
    expect(fakeRest.asked.at(-1)!.path).toBe('/v2/images/..%2Fstores');
  });

  it('are deleted where image allows it', async () => {
    answer(`DELETE /v2/images/${IMAGE}`, 204);
    expect((await ask('DELETE', `/images/${IMAGE}`)).status).toBe(204);
    answer(`DELETE /v2/images/${IMAGE}`, 403, { message: 'no' });
    expect((await ask('DELETE', `/images/${IMAGE}`)).body.forbidden.message).toBe(
      'You are not allowed to delete the image.',
    );
    expect((await ask('DELETE', '/images/')).status).toBe(404);
  });

  it('have metadata that is changed by the fewest patches, and no attribute among it', async () => {
    answer(`GET /v2/images/${IMAGE}`, 200, { ...image, old: '1' });
    answer(`PATCH /v2/images/${IMAGE}`, 200, image);
    const patches = () => fakeRest.asked.filter(({ method }) => method === 'PATCH').map(({ body }) => JSON.parse(body));
    const set = await ask('PUT', `/images/${IMAGE}/metadata`, { metadata: { os_distro: 'arch', 'a/b~': '2' } });
    expect(set.status).toBe(400);
    expect((await ask('PUT', `/images/${IMAGE}/metadata`, { metadata: { os_distro: 'arch', n: '2' } })).body).toEqual({
      metadata: { os_distro: 'arch', n: '2' },
    });
    expect(patches()).toEqual([
      [
        { op: 'remove', path: '/old' },
        { op: 'replace', path: '/os_distro', value: 'arch' },
        { op: 'add', path: '/n', value: '2' },
      ],
    ]);
    expect((await ask('POST', `/images/${IMAGE}/metadata`, { metadata: { old: '1' } })).status).toBe(200);
    expect(patches()).toHaveLength(1);
    expect((await ask('POST', `/images/${IMAGE}/metadata`, { metadata: { visibility: 'public' } })).status).toBe(403);
    expect((await ask('GET', `/images/${IMAGE}/metadata/old`)).body).toEqual({ meta: { old: '1' } });
    expect((await ask('GET', `/images/${IMAGE}/metadata/none`)).status).toBe(404);
    expect((await ask('PUT', `/images/${IMAGE}/metadata/old`, { meta: { other: '1' } })).status).toBe(400);
    expect((await ask('PUT', `/images/${IMAGE}/metadata/old`, { meta: { old: '2' } })).body).toEqual({
      meta: { old: '2' },
    });
    expect((await ask('DELETE', `/images/${IMAGE}/metadata/old`)).status).toBe(204);
    expect((await ask('DELETE', `/images/${IMAGE}/metadata/none`)).status).toBe(404);
    expect(patches().slice(1)).toEqual([
      [{ op: 'replace', path: '/old', value: '2' }],
      [{ op: 'remove', path: '/old' }],
    ]);
    expect((await ask('GET', `/images/${IMAGE}/metadata`, undefined, '2.39')).status).toBe(404);
    const many = Object.fromEntries(Array.from({ length: 129 }, (_, index) => [`k${index}`, 'v']));
    expect((await ask('PUT', `/images/${IMAGE}/metadata`, { metadata: many })).status).toBe(403);
  });

  it('pass on that image can not be reached, and nothing of what it broke on', async () => {
    answer(`GET /v2/images/${IMAGE}`, 503, { message: 'later' });
    expect((await ask('GET', `/images/${IMAGE}`)).status).toBe(503);
    answer(`GET /v2/images/${IMAGE}`, 500, { message: 'secret' });
    const broken = await ask('GET', `/images/${IMAGE}`);
    expect(broken.status).toBe(500);
    expect(JSON.stringify(broken.body)).not.toContain('secret');
  });
});

describe('networks', () => {
  it('have an id and a label', async () => {
    answer('GET /v2.0/networks', 200, { networks: [{ id: NETWORK, name: 'demo', shared: false }] });
    expect((await ask('GET', '/os-tenant-networks')).body).toEqual({
      networks: [{ id: NETWORK, cidr: 'None', label: 'demo' }],
    });
    expect(Object.keys((await ask('GET', '/os-networks')).body.networks[0])).toHaveLength(11);
    const forAdmin = await stage.ask('GET', '/v2.1/os-networks', { as: ADMIN });
    expect(Object.keys(forAdmin.body.networks[0])).toHaveLength(32);
    answer(`GET /v2.0/networks/${NETWORK}`, 404, refusal('NetworkNotFound'));
    expect((await ask('GET', `/os-networks/${NETWORK}`)).body.itemNotFound.message).toBe('Network not found');
    expect((await ask('GET', '/os-networks', undefined, '2.36')).status).toBe(404);
    expect((await ask('POST', '/os-networks', {})).status).toBe(410);
  });
});

const ip = {
  ...{ id: PORT, floating_ip_address: '203.0.113.5', floating_network_id: NETWORK },
  ...{ fixed_ip_address: null, port_id: null, port_details: null },
};
const POOLS = 'GET /v2.0/networks?router%3Aexternal=True';
const BY_ADDRESS = 'GET /v2.0/floatingips?floating_ip_address=203.0.113.5';

describe('floating IPs', () => {
  const act = (body: unknown, at = '2.1') => ask('POST', `/servers/${server}/action`, body, at);
  beforeEach(() => answer(POOLS, 200, { networks: [{ id: NETWORK, name: 'public' }] }));

  it('are allocated from a pool, shown and released', async () => {
    answer('POST /v2.0/floatingips', 201, { floatingip: ip });
    const shown = { id: PORT, ip: '203.0.113.5', pool: 'public', fixed_ip: null, instance_id: null };
    expect((await ask('POST', '/os-floating-ips', { pool: 'public' })).body).toEqual({ floating_ip: shown });
    expect((await ask('POST', '/os-floating-ips', {})).status).toBe(200);
    expect((await ask('POST', '/os-floating-ips', { pool: 'none' })).status).toBe(404);
    answer('GET /v2.0/floatingips?tenant_id=project-demo', 200, {
      floatingips: [{ ...ip, port_id: PORT, port_details: { device_id: server } }],
    });
    expect((await ask('GET', '/os-floating-ips')).body.floating_ips).toEqual([{ ...shown, instance_id: server }]);
    expect((await ask('GET', '/os-floating-ip-pools')).body).toEqual({ floating_ip_pools: [{ name: 'public' }] });
    expect((await ask('GET', `/os-floating-ips/${PORT}`)).status).toBe(404);
    answer(`GET /v2.0/floatingips/${PORT}`, 200, { floatingip: ip });
    answer(`DELETE /v2.0/floatingips/${PORT}`, 204);
    expect((await ask('DELETE', `/os-floating-ips/${PORT}`)).status).toBe(202);
  });

  it('say in the words of compute why there is none', async () => {
    answer('POST /v2.0/floatingips', 409, refusal('OverQuota'));
    expect((await ask('POST', '/os-floating-ips', { pool: 'public' })).status).toBe(403);
    answer('POST /v2.0/floatingips', 409, refusal('IpAddressGenerationFailure'));
    expect((await ask('POST', '/os-floating-ips', { pool: 'public' })).status).toBe(404);
  });

  it('come to a server and leave it', async () => {
    answer(BY_ADDRESS, 200, { floatingips: [ip] });
    answer(`PUT /v2.0/floatingips/${PORT}`, 200, { floatingip: ip });
    expect((await act({ addFloatingIp: { address: '203.0.113.5' } })).status).toBe(202);
    expect(JSON.parse(fakeRest.asked.at(-1)!.body)).toEqual({
      floatingip: { port_id: PORT, fixed_ip_address: '10.0.0.5' },
    });
    expect((await act({ addFloatingIp: { address: '203.0.113.5', fixed_address: '10.0.0.9' } })).status).toBe(400);
    expect((await act({ addFloatingIp: { address: '' } })).status).toBe(400);
    expect((await act({ removeFloatingIp: { address: '203.0.113.5' } })).status).toBe(409);
    answer(BY_ADDRESS, 200, { floatingips: [{ ...ip, port_details: { device_id: server } }] });
    expect((await act({ removeFloatingIp: { address: '203.0.113.5' } })).status).toBe(202);
    expect(JSON.parse(fakeRest.asked.at(-1)!.body)).toEqual({ floatingip: { port_id: null } });
    answer(BY_ADDRESS, 200, { floatingips: [] });
    expect((await act({ addFloatingIp: { address: '203.0.113.5' } })).status).toBe(404);
    expect((await act({ addFloatingIp: { address: '203.0.113.5' } }, '2.44')).status).toBe(400);
  });

  it('refuse a second one for the same address', async () => {
    answer(BY_ADDRESS, 200, { floatingips: [ip] });
    answer(`PUT /v2.0/floatingips/${PORT}`, 409, refusal('FloatingIPPortAlreadyAssociated'));
    expect((await act({ addFloatingIp: { address: '203.0.113.5' } })).status).toBe(400);
  });
});

const rule = {
  ...{
    id: PORT,
    security_group_id: GROUP,
    direction: 'ingress',
    protocol: 'tcp',
    port_range_min: 22,
    port_range_max: 22,
  },
  ...{ remote_ip_prefix: '10.0.0.0/8', remote_group_id: null },
};
const group = {
  ...{ id: GROUP, name: 'web', description: 'd', tenant_id: 'project-demo' },
  security_group_rules: [
    rule,
    { ...rule, direction: 'egress' },
    {
      ...rule,
      protocol: 'udp',
      port_range_min: null,
      port_range_max: null,
      remote_ip_prefix: null,
      remote_group_id: GROUP,
    },
    { ...rule, protocol: 'icmp', port_range_min: null, port_range_max: null, remote_ip_prefix: null },
    { ...rule, remote_group_id: IMAGE },
  ],
};
const HIDDEN = `GET /v2.0/security-groups?id=${IMAGE}&fields=id&fields=name&fields=tenant_id`;

describe('security groups', () => {
  beforeEach(() => {
    answer(HIDDEN, 200, { security_groups: [] });
    answer(`GET /v2.0/security-groups/${GROUP}`, 200, { security_group: group });
  });

  it('show incoming rules alone, and none of a group that the caller can not see', async () => {
    const { body } = await ask('GET', `/os-security-groups/${GROUP}`);
    expect(body.security_group).toMatchObject({ id: GROUP, name: 'web', tenant_id: 'project-demo' });
    expect(body.security_group.rules).toEqual([
      expect.objectContaining({ from_port: 22, to_port: 22, group: {}, ip_range: { cidr: '10.0.0.0/8' } }),
      expect.objectContaining({ from_port: 1, to_port: 65535, group: { name: 'web', tenant_id: 'project-demo' } }),
      expect.objectContaining({ from_port: -1, to_port: -1, ip_range: { cidr: '0.0.0.0/0' } }),
    ]);
    expect((await ask('GET', '/os-security-groups/none')).status).toBe(400);
    expect((await ask('GET', `/os-security-groups/${PORT}`)).status).toBe(404);
  });

  it('are listed for the project, for all where an administrator asks', async () => {
    answer('GET /v2.0/security-groups?tenant_id=project-demo', 200, {
      security_groups: [group, { ...group, name: 'a' }],
    });
    answer('GET /v2.0/security-groups', 200, { security_groups: [group] });
    const listed = await ask('GET', '/os-security-groups?all_tenants=1&limit=1&offset=1');
    expect(listed.body.security_groups.map(({ name }: { name: string }) => name)).toEqual(['web']);
    const all = await stage.ask('GET', '/v2.1/os-security-groups?all_tenants=1', { as: ADMIN });
    expect(all.body.security_groups).toHaveLength(1);
  });

  it('are made, changed and deleted', async () => {
    answer('POST /v2.0/security-groups', 201, { security_group: group });
    const words = { security_group: { name: 'web', description: 'd' } };
    expect((await ask('POST', '/os-security-groups', words)).status).toBe(200);
    answer('POST /v2.0/security-groups', 409, refusal('OverQuota'));
    expect((await ask('POST', '/os-security-groups', words)).status).toBe(403);
    expect((await ask('POST', '/os-security-groups', { security_group: { name: 'web' } })).status).toBe(400);
    answer(`PUT /v2.0/security-groups/${GROUP}`, 200, { security_group: group });
    expect((await ask('PUT', `/os-security-groups/${GROUP}`, words)).status).toBe(200);
    answer(`DELETE /v2.0/security-groups/${GROUP}`, 204);
    expect((await ask('DELETE', `/os-security-groups/${GROUP}`)).status).toBe(202);
    answer(`DELETE /v2.0/security-groups/${GROUP}`, 409, refusal('SecurityGroupInUse'));
    expect((await ask('DELETE', `/os-security-groups/${GROUP}`)).status).toBe(400);
  });

  it('take rules that network would understand', async () => {
    answer('POST /v2.0/security-group-rules', 201, { security_group_rule: rule });
    const add = (more: Record<string, unknown>) =>
      ask('POST', '/os-security-group-rules', { security_group_rule: { parent_group_id: GROUP, ...more } });
    expect((await add({ ip_protocol: 'tcp', from_port: 22, to_port: '22' })).body.security_group_rule.id).toBe(PORT);
    expect(JSON.parse(fakeRest.asked.at(-1)!.body).security_group_rule).toEqual({
      ...{ direction: 'ingress', security_group_id: GROUP, protocol: 'tcp', port_range_min: 22, port_range_max: 22 },
      ...{ ethertype: 'IPv4', remote_ip_prefix: '0.0.0.0/0' },
    });
    await add({ group_id: GROUP, ip_protocol: 'ICMP' });
    expect(JSON.parse(fakeRest.asked.at(-1)!.body).security_group_rule).toEqual({
      ...{
        direction: 'ingress',
        security_group_id: GROUP,
        protocol: 'icmp',
        ethertype: 'IPv4',
        remote_group_id: GROUP,
      },
    });
    for (const bad of [
      {},
      { ip_protocol: 'tcp', from_port: 22, to_port: 21 },
      { ip_protocol: 'tcp', from_port: 0, to_port: 21 },
      { ip_protocol: 'tcp', from_port: 'x', to_port: 21 },
      { ip_protocol: 'icmp', from_port: 256, to_port: 0 },
      { ip_protocol: 'gre', from_port: 1, to_port: 1 },
      { ip_protocol: 'tcp', from_port: 1, to_port: 1, cidr: '10.0.0.0/0' },
      { parent_group_id: 'none', ip_protocol: 'tcp', from_port: 1, to_port: 1 },
    ])
      expect((await add(bad)).status, JSON.stringify(bad)).toBe(400);
    expect((await add({ parent_group_id: PORT, ip_protocol: 'tcp', from_port: 1, to_port: 1 })).status).toBe(404);
    answer('POST /v2.0/security-group-rules', 409, refusal('SecurityGroupRuleExists'));
    expect((await add({ ip_protocol: 'tcp', from_port: 22, to_port: 22 })).status).toBe(400);
    answer(`DELETE /v2.0/security-group-rules/${PORT}`, 204);
    expect((await ask('DELETE', `/os-security-group-rules/${PORT}`)).status).toBe(202);
  });
});
