import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fail } from '#libs/kernel';
import {
  ADMIN,
  BIG_IMAGE,
  DEMO,
  fakeNetwork,
  NETWORK,
  ORDER,
  OTHER,
  openStage,
  PORT,
  QUEUED_IMAGE,
  READER,
  type Stage,
} from '../compute.fixture.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const post = (server: Record<string, unknown>, options: { at?: string; as?: typeof DEMO } = {}) =>
  stage.ask('POST', '/v2.1/servers', { body: { server }, ...options });

describe('ordering', () => {
  it('writes the row, the task and the quota, and answers with the password', async () => {
    const made = await post({
      ...ORDER,
      adminPass: 'canary-pass',
      user_data: Buffer.from('canary-data').toString('base64'),
    });
    expect(made.status).toBe(202);
    expect(made.body.server).toMatchObject({ adminPass: 'canary-pass', 'OS-DCF:diskConfig': 'MANUAL' });
    expect(made.headers['location']).toBe(`http://cloud/compute/v2.1/servers/${made.body.server.id}`);
    const shown = await stage.ask('GET', `/v2.1/servers/${made.body.server.id}`);
    expect(shown.body.server).toMatchObject({
      status: 'BUILD',
      'OS-EXT-STS:task_state': 'scheduling',
      flavor: { id: '1' },
    });
    const dump = JSON.stringify(await stage.scratch.db.query('select s::text, t::text from server s, task t'));
    expect(dump).not.toContain('canary');
    const secrets = await stage.books.servers.secrets(stage.scratch.db, made.body.server.id);
    expect(secrets?.adminPass).toBe('canary-pass');
    const gone = await stage.ask('DELETE', `/v2.1/servers/${made.body.server.id}`);
    expect(gone.status).toBe(204);
    const again = await stage.ask('DELETE', `/v2.1/servers/${made.body.server.id}`);
    expect(again.status).toBe(204);
    const tasks = await stage.scratch.db.query('select kind, state, cancelled from task order by created_at');
    expect(tasks).toEqual([
      { kind: 'server.create', state: 'running', cancelled: true },
      { kind: 'server.delete', state: 'queued', cancelled: false },
    ]);
  });

  it.each([
    ['an unknown image', { ...ORDER, imageRef: PORT }, 400],
    ['an image that is no id', { ...ORDER, imageRef: -1 }, 400],
    ['an image that is not active', { ...ORDER, imageRef: QUEUED_IMAGE }, 400],
    ['no image', { ...ORDER, imageRef: '' }, 400],
    ['too large an image', { ...ORDER, imageRef: BIG_IMAGE }, 400],
    ['too little memory', { ...ORDER, imageRef: BIG_IMAGE, flavorRef: '3' }, 403],
    ['an unknown flavor', { ...ORDER, flavorRef: '-1' }, 400],
    ['a number as an unknown flavor', { ...ORDER, flavorRef: -1 }, 400],
    ['an unknown key', { ...ORDER, key_name: 'none' }, 400],
    ['an unknown network', { ...ORDER, networks: [{ uuid: PORT }] }, 400],
    ['a network that is no id', { ...ORDER, networks: [{ uuid: 'a-b-c-d', fixed_ip: '10.0.1.1' }] }, 400],
    ['a bad address', { ...ORDER, networks: [{ uuid: NETWORK, fixed_ip: '10.0.1.300' }] }, 400],
    ['an empty network', { ...ORDER, networks: [{}] }, 400],
    ['a port twice', { ...ORDER, networks: [{ port: PORT }, { port: PORT }] }, 400],
    ['one port for two servers', { ...ORDER, min_count: 2, networks: [{ port: PORT }] }, 400],
    [
      'one address for two servers',
      { ...ORDER, min_count: 2, networks: [{ uuid: NETWORK, fixed_ip: '10.0.0.9' }] },
      400,
    ],
    ['an unknown security group', { ...ORDER, security_groups: [{ name: 'does_not_exist' }] }, 400],
    ['an empty name', { ...ORDER, name: '' }, 400],
    ['a number as a name', { ...ORDER, name: 12345 }, 400],
    ['a long name', { ...ORDER, name: 'a'.repeat(256) }, 400],
    ['no name', { imageRef: ORDER.imageRef, flavorRef: '1' }, 400],
    ['a name with a line break', { ...ORDER, name: 'a\nb' }, 400],
    ['user data that is no base64', { ...ORDER, user_data: 'this is not base64!' }, 400],
    ['a file that is no base64', { ...ORDER, personality: [{ path: '/x', contents: '%%%' }] }, 400],
    ['a long metadata value', { ...ORDER, metadata: { a: 'b'.repeat(260) } }, 400],
    ['a long metadata key', { ...ORDER, metadata: { ['k'.repeat(256)]: 'x' } }, 400],
    ['an empty metadata key', { ...ORDER, metadata: { '': 'x' } }, 400],
    ['a number as metadata', { ...ORDER, metadata: { a: 1 } }, 400],
    ['a bad IPv4 address', { ...ORDER, accessIPv4: '1.1.1.1.1.1' }, 400],
    ['a bad IPv6 address', { ...ORDER, accessIPv6: 'notvalid' }, 400],
    ['no servers', { ...ORDER, min_count: 0 }, 400],
    ['half a server', { ...ORDER, min_count: 2.5 }, 400],
    ['at most none', { ...ORDER, max_count: 0 }, 400],
    ['less than the least', { ...ORDER, min_count: 3, max_count: 2 }, 400],
    [
      'a volume',
      {
        ...ORDER,
        block_device_mapping_v2: [{ source_type: 'volume', destination_type: 'volume', uuid: PORT, boot_index: 0 }],
      },
      400,
    ],
    ['two disks', { ...ORDER, block_device_mapping_v2: [{ source_type: 'image' }, { source_type: 'blank' }] }, 400],
    ['an unknown zone', { ...ORDER, availability_zone: 'moon' }, 400],
    ['a forced host by a member', { ...ORDER, availability_zone: 'nova:node-1' }, 403],
    ['an unknown property', { ...ORDER, colour: 'red' }, 400],
    ['a description too early', { ...ORDER, description: 'x' }, 400],
    ['auto too early', { ...ORDER, networks: 'auto' }, 400],
    [
      'more metadata than the quota allows',
      { ...ORDER, metadata: Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`k${i}`, 'v'])) },
      403,
    ],
    ['more servers than the quota allows', { ...ORDER, min_count: 11 }, 403],
  ])('refuses %s', async (_what, server, status) => {
    const before = await stage.scratch.db.one('select count(*) from server');
    const answer = await post(server);
    expect([answer.status, Object.keys(answer.body)]).toEqual([status, [status === 400 ? 'badRequest' : 'forbidden']]);
    expect(await stage.scratch.db.one('select count(*) from server')).toEqual(before);
  });

  it.each([
    ['2.37', { ...ORDER }, 400],
    ['2.37', { ...ORDER, networks: 'auto' }, 202],
    ['2.37', { ...ORDER, networks: 'none' }, 202],
    ['2.32', { ...ORDER, networks: [{ uuid: NETWORK, tag: 'a' }] }, 202],
    ['2.37', { ...ORDER, networks: [{ uuid: NETWORK, tag: 'a' }] }, 400],
    ['2.42', { ...ORDER, networks: [{ uuid: NETWORK, tag: 'a' }] }, 202],
    ['2.52', { ...ORDER, networks: 'none', tags: ['a', 'b'], description: 'd' }, 202],
    ['2.52', { ...ORDER, networks: 'none', tags: ['a,b'] }, 400],
    ['2.57', { ...ORDER, networks: 'none', personality: [] }, 400],
  ])('at %s takes %j or not', async (at, server, status) => {
    const answer = await post(server, { at, as: OTHER });
    expect(answer.status).toBe(status);
    if (status !== 202) return;
    expect((await stage.ask('DELETE', `/v2.1/servers/${answer.body.server.id}`, { as: OTHER })).status).toBe(204);
    await stage.scratch.db.tx((tx) => stage.books.servers.bury(tx, answer.body.server.id, new Date()));
  });

  it('makes as many as the quota leaves between the least and the most', async () => {
    const caller = { ...DEMO, project: 'project-many' };
    const made = await post({ ...ORDER, min_count: '2', max_count: 30, return_reservation_id: true }, { as: caller });
    expect(made.body.reservation_id).toMatch(/^r-[a-z0-9]{8}$/);
    const list = await stage.ask('GET', '/v2.1/servers', { as: caller });
    expect(list.body.servers.map(({ name }: { name: string }) => name).sort()[0]).toBe('server-1');
    expect(list.body.servers).toHaveLength(10);
    const more = await post(ORDER, { as: caller });
    expect(more.status).toBe(403);
    expect(more.body.forbidden.message).toBe(
      'Quota exceeded for instances: Requested 1, but already used 10 of 10 instances',
    );
  });

  it('never exceeds the quota under concurrency, and gives it back', async () => {
    const caller = { ...DEMO, project: 'project-race' };
    const answers = await Promise.all(Array.from({ length: 16 }, () => post(ORDER, { as: caller })));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(6);
    for (const { body } of answers.filter(({ status }) => status === 202))
      await stage.scratch.db.tx((tx) => stage.books.servers.bury(tx, body.server.id, new Date()));
    expect(await stage.books.quotas.usage(stage.scratch.db, 'project-race')).toEqual({
      instances: 0,
      cores: 0,
      ram: 0,
    });
  });
});

describe('one server', () => {
  it('is seen by its project and administrators alone, and refused alike', async () => {
    const id = await stage.boot();
    expect((await stage.ask('GET', `/v2.1/servers/${id}`, { as: READER })).status).toBe(200);
    expect((await stage.ask('GET', `/v2.1/servers/${id}`, { as: ADMIN })).body.server['OS-EXT-SRV-ATTR:host']).toBe(
      'node-1',
    );
    expect((await stage.ask('GET', `/v2.1/servers/${id}`)).body.server).not.toHaveProperty('OS-EXT-SRV-ATTR:host');
    const foreign = await stage.ask('GET', `/v2.1/servers/${id}`, { as: OTHER });
    const unknown = await stage.ask('GET', `/v2.1/servers/${PORT}`, { as: OTHER });
    expect(foreign.status).toBe(404);
    expect(JSON.stringify(foreign.body).replace(id, PORT)).toBe(JSON.stringify(unknown.body));
    for (const bad of ['-1', '9223372036854775808', '999', 'x'.repeat(300)])
      expect((await stage.ask('GET', `/v2.1/servers/${bad}`)).status).toBe(404);
    expect((await stage.ask('DELETE', `/v2.1/servers/${id}`, { as: READER })).status).toBe(403);
  });

  it('takes a new name and addresses', async () => {
    const id = await stage.boot();
    const server = { name: 'Íñstáñcé', accessIPv4: '1.1.1.1', accessIPv6: '::babe:202:202' };
    const updated = await stage.ask('PUT', `/v2.1/servers/${id}`, { body: { server } });
    expect(updated.body.server).toMatchObject(server);
    expect((await stage.ask('PUT', `/v2.1/servers/${id}`, { body: { server: {} } })).status).toBe(200);
    for (const bad of [{ name: '' }, { name: 'a'.repeat(256) }, { name: 5 }, { description: 'x' }, { host: 'x' }])
      expect((await stage.ask('PUT', `/v2.1/servers/${id}`, { body: { server: bad } })).status).toBe(400);
    expect((await stage.ask('PUT', `/v2.1/servers/${PORT}`, { body: { server: {} } })).status).toBe(404);
  });
});

describe('listing', () => {
  const lister = { ...DEMO, project: 'project-list' };
  const ids: string[] = [];
  beforeAll(async () => {
    for (const name of ['web-instance-1', 'web-instance-2', 'db_100%'])
      ids.push(
        await stage.boot({
          as: lister,
          body: { name, flavorRef: name.startsWith('db') ? '2' : '1', metadata: { n: name } },
        }),
      );
  });
  const names = async (query: string, options: { at?: string; as?: typeof DEMO } = {}) => {
    const answer = await stage.ask('GET', `/v2.1/servers${query}`, { as: lister, ...options });
    return answer.status === 200 ? answer.body.servers.map(({ name }: { name: string }) => name) : answer.status;
  };

  it.each([
    ['', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?name=web', ['web-instance-2', 'web-instance-1']],
    ['?name=^web-instance-1$', ['web-instance-1']],
    ['?name=^.*-instance-[0-9]%2B$', ['web-instance-2', 'web-instance-1']],
    ['?name=100%25', ['db_100%']],
    ['?name=.00%25', ['db_100%']],
    ['?name=non_existing_server_name', []],
    ['?name=(', 400],
    ['?name=(a)\\1', 400],
    [`?name=${'a'.repeat(300)}`, 400],
    ['?flavor=2', ['db_100%']],
    ['?flavor=none', []],
    ['?image=non_existing_image', []],
    [`?image=${ORDER.imageRef}&name=db`, ['db_100%']],
    ['?status=active', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?status=ACTIVE&status=ERROR', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?status=build', []],
    ['?status=non_existing_status', []],
    ['?status=deleted', 403],
    ['?limit=0', []],
    ['?limit=1', ['db_100%']],
    ['?limit=100000', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?limit=testing', 400],
    ['?limit=-1', 400],
    ['?marker=none', 400],
    ['?changes-since=2011/01/01', 400],
    ['?changes-since=2051-01-01T12:34:00Z', []],
    ['?changes-since=2011-01-01T12:34:00Z', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?ip=10.0.0.5', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?ip=10.0.0.6', []],
    ['?ip=10.0', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?sort_key=display_name&sort_dir=asc', ['db_100%', 'web-instance-1', 'web-instance-2']],
    ['?sort_dir=asc', ['web-instance-1', 'web-instance-2', 'db_100%']],
    ['?sort_dir=asc&sort_dir=asc', 400],
    ['?sort_key=vcpus&sort_key=progress', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?metadata=x', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?sort_key=bogus', 400],
    ['?sort_key=host', 403],
    ['?sort_key=display_name&sort_dir=up', 400],
    ['?host=elsewhere', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?all_tenants=1', 403],
    ['?colour=red', ['db_100%', 'web-instance-2', 'web-instance-1']],
    ['?tags=a', ['db_100%', 'web-instance-2', 'web-instance-1']],
  ])('%s', async (query, expected) => {
    expect(await names(query)).toEqual(expected);
  });

  it('changes with the version', async () => {
    expect(await names('?status=non_existing_status', { at: '2.38' })).toBe(400);
    expect(await names('?tags=a', { at: '2.26' })).toEqual([]);
    expect(await names('?not-tags=a', { at: '2.26' })).toHaveLength(3);
    expect(await names('?sort_key=vcpus', { at: '2.75' })).toBe(400);
    expect(await names('?hostname=none', { at: '2.89' })).toHaveLength(3);
    expect(await names('?hostname=none', { at: '2.90' })).toEqual([]);
  });

  it('pages by marker and links the next page', async () => {
    const first = await stage.ask('GET', '/v2.1/servers?limit=2', { as: lister });
    expect(first.body.servers_links).toEqual([
      { rel: 'next', href: `http://cloud/compute/v2.1/servers?limit=2&marker=${first.body.servers[1].id}` },
    ]);
    const next = first.body.servers_links[0].href.replace('http://cloud/compute', '');
    const second = await stage.ask('GET', next, { as: lister });
    expect(second.body).toEqual({ servers: [expect.objectContaining({ name: 'web-instance-1' })] });
  });

  it('lets administrators look everywhere', async () => {
    expect(await names('?name=web', { as: ADMIN })).toEqual([]);
    expect(await names('?name=web&all_tenants=', { as: ADMIN })).toHaveLength(2);
    expect(await names('?name=web&tenant_id=project-list', { as: ADMIN })).toEqual([]);
    expect(await names('?name=web&all_tenants=1&tenant_id=project-list', { as: ADMIN })).toHaveLength(2);
    expect(await names('?name=web&all_tenants=1&host=node-1', { as: ADMIN })).toHaveLength(2);
    expect(await names('?name=web&all_tenants=1&host=node-2', { as: ADMIN })).toEqual([]);
    expect(await names('?name=web&all_tenants=maybe', { as: ADMIN })).toBe(400);
    expect(await names('?metadata=x', { as: ADMIN })).toBe(400);
    expect(await names('?name=web&all_tenants=1&deleted=maybe', { as: ADMIN })).toHaveLength(2);
  });

  it('shows deleted ones to those who ask by change', async () => {
    const doomed = await stage.boot({ as: lister, body: { name: 'doomed' } });
    await stage.scratch.db.tx((tx) => stage.books.servers.bury(tx, doomed, new Date()));
    expect(await names('')).not.toContain('doomed');
    const changed = await stage.ask('GET', '/v2.1/servers/detail?changes-since=2020-01-01T00:00:00', { as: lister });
    const row = changed.body.servers.find(({ id }: { id: string }) => id === doomed);
    expect(row).toMatchObject({ status: 'DELETED', 'OS-EXT-STS:vm_state': 'deleted' });
    expect((await stage.ask('GET', `/v2.1/servers/${doomed}`, { as: lister })).status).toBe(404);
    expect(await names('?deleted=true&all_tenants=1&name=doomed', { as: ADMIN })).toEqual(['doomed']);
    expect(await names('?deleted=true')).not.toContain('doomed');
  });
});

describe('addresses', () => {
  const fixed = {
    version: 4,
    addr: '10.0.0.5',
    'OS-EXT-IPS:type': 'fixed',
    'OS-EXT-IPS-MAC:mac_addr': 'fa:16:3e:00:00:01',
  };

  it('are shown with the floating ones that stand for them now', async () => {
    const id = await stage.boot();
    const floating = { serverId: id, portId: PORT, fixedAddress: '10.0.0.5', address: '203.0.113.9' };
    const elsewhere = { ...floating, fixedAddress: '10.0.0.99', address: '203.0.113.10' };
    const told = vi.spyOn(fakeNetwork, 'listFloatingIps').mockResolvedValue({ floatingIps: [floating, elsewhere] });
    const all = [fixed, { ...fixed, addr: '203.0.113.9', 'OS-EXT-IPS:type': 'floating' }];
    expect((await stage.ask('GET', `/v2.1/servers/${id}`)).body.server.addresses).toEqual({ demo: all });
    const { servers } = (await stage.ask('GET', '/v2.1/servers/detail')).body;
    expect(servers.find((server: { id: string }) => server.id === id).addresses).toEqual({ demo: all });
    const plain = [
      { version: 4, addr: '10.0.0.5' },
      { version: 4, addr: '203.0.113.9' },
    ];
    expect((await stage.ask('GET', `/v2.1/servers/${id}/ips`)).body.addresses).toEqual({ demo: plain });
    expect((await stage.ask('GET', `/v2.1/servers/${id}/ips/demo`)).body).toEqual({ demo: plain });
    told.mockRestore();
  });

  it('are shown as compute knows them while network does not answer', async () => {
    const id = await stage.boot();
    const silent = vi.spyOn(fakeNetwork, 'listFloatingIps').mockRejectedValue(fail.unavailable('no answer'));
    expect((await stage.ask('GET', `/v2.1/servers/${id}`)).body.server.addresses).toEqual({ demo: [fixed] });
    silent.mockRestore();
  });
});

describe('networks that lead out', () => {
  it('are not for servers', async () => {
    const refused = vi
      .spyOn(fakeNetwork, 'validate')
      .mockRejectedValue(fail.forbidden('not on that one', { type: 'ExternalNetworkAttachForbidden' }));
    const answer = await post({ ...ORDER, networks: [{ uuid: NETWORK }] });
    expect({ status: answer.status, fault: Object.keys(answer.body) }).toEqual({ status: 403, fault: ['forbidden'] });
    refused.mockRestore();
  });
});
