import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let owner: string;
let other: string;
let admin: string;
beforeAll(async () => {
  bed = await testbed({ options: { quotaBytes: 1 << 20, quotaImages: 60, uploadIdleMs: 1_000 } });
  owner = bed.token('p1');
  other = bed.token('p2');
  admin = bed.token('p0', ['admin']);
});
afterAll(() => bed.close());

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & { images: { id: string; name: string }[] };
  readonly headers: Headers;
}

async function call(
  method: string,
  path: string,
  token?: string,
  body?: unknown,
  type = 'application/json',
): Promise<Answer> {
  const raw = body instanceof Uint8Array || typeof body === 'string';
  const response = await fetch(bed.url + path, {
    method,
    headers: { ...(token ? { 'x-auth-token': token } : {}), ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json =
    response.headers.get('content-type')?.startsWith('application/json') && text ? JSON.parse(text) : { text };
  return { status: response.status, body: json as Answer['body'], headers: response.headers };
}

const OCTETS = 'application/octet-stream';
const PATCH = 'application/openstack-images-v2.1-json-patch';
const RAW = { container_format: 'bare', disk_format: 'raw' };
const files = (): string[] => ['incoming', 'images'].flatMap((folder) => readdirSync(join(bed.storeDir, folder)));

async function create(token = owner, more: object = {}): Promise<string> {
  const made = await call('POST', '/v2/images', token, { name: 'x', ...RAW, ...more });
  expect(made.status).toBe(201);
  return made.body['id'] as string;
}
const upload = (id: string, bytes: Uint8Array, token = owner) =>
  call('PUT', `/v2/images/${id}/file`, token, bytes, OCTETS);
const show = async (id: string, token = owner) =>
  (await call('GET', `/v2/images/${id}`, token)).body as Record<string, unknown>;
const patch = (id: string, changes: unknown, token = owner, type = PATCH) =>
  call('PATCH', `/v2/images/${id}`, token, changes, type);

describe('versions', () => {
  it('answers without a token, 300 at the root and 200 at /versions', async () => {
    const root = await call('GET', '/');
    expect(root.status).toBe(300);
    expect((root.body['versions'] as { links: unknown }[])[0]).toEqual({
      id: 'v2.9',
      status: 'CURRENT',
      links: [{ rel: 'self', href: 'http://cloud.test/image/v2/' }],
    });
    expect((await call('GET', '/versions')).status).toBe(200);
    expect((await call('GET', '/v2/images')).status).toBe(401);
  });
});

describe('an image', () => {
  it('is registered, filled, read back and deleted', async () => {
    const made = await call('POST', '/v2/images', owner, {
      name: 'cirros',
      ...RAW,
      ramdisk_id: '00000000-1111-2222-3333-444455556666',
      'owner_specified.openstack.md5': '',
      tags: ['a', 'a', 'b'],
    });
    expect(made.status).toBe(201);
    const id = made.body['id'] as string;
    expect(made.headers.get('location')).toBe(`http://cloud.test/image/v2/images/${id}`);
    expect(made.body).toMatchObject({
      status: 'queued',
      visibility: 'shared',
      owner: 'p1',
      size: null,
      tags: ['a', 'b'],
    });
    expect((await call('GET', `/v2/images/${id}/file`, owner)).status).toBe(204);
    const bytes = randomBytes(100_000);
    expect((await upload(id, bytes)).status).toBe(204);
    const sha512 = createHash('sha512').update(bytes).digest('hex');
    expect(await show(id)).toMatchObject({
      status: 'active',
      size: 100_000,
      virtual_size: 100_000,
      os_hash_algo: 'sha512',
      os_hash_value: sha512,
      checksum: createHash('md5').update(bytes).digest('hex'),
      'owner_specified.openstack.md5': '',
      file: `/v2/images/${id}/file`,
    });
    const response = await fetch(`${bed.url}/v2/images/${id}/file`, { headers: { 'x-auth-token': owner } });
    expect(response.headers.get('content-length')).toBe('100000');
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    const part = await fetch(`${bed.url}/v2/images/${id}/file`, {
      headers: { 'x-auth-token': owner, range: 'bytes=10-19' },
    });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe('bytes 10-19/100000');
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
    const head = await fetch(`${bed.url}/v2/images/${id}/file`, { method: 'HEAD', headers: { 'x-auth-token': owner } });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await upload(id, bytes)).status).toBe(409);
    expect((await call('DELETE', `/v2/images/${id}`, owner)).status).toBe(204);
    expect((await call('GET', `/v2/images/${id}`, owner)).status).toBe(404);
    expect((await call('DELETE', `/v2/images/${id}`, owner)).status).toBe(404);
    expect(files()).toEqual([]);
  });

  it('keeps its id for ever, even deleted', async () => {
    const id = randomUUID();
    await create(owner, { id });
    expect((await call('POST', '/v2/images', owner, { id })).status).toBe(409);
    await call('DELETE', `/v2/images/${id}`, owner);
    expect((await call('POST', '/v2/images', owner, { id })).status).toBe(409);
  });

  it('refuses what may not be set (class 5)', async () => {
    for (const field of [
      'status',
      'size',
      'checksum',
      'os_hash_value',
      'virtual_size',
      'created_at',
      'self',
      'file',
      'stores',
      'direct_url',
    ])
      expect((await call('POST', '/v2/images', owner, { [field]: 'active' })).status, field).toBe(403);
    for (const field of ['location', 'deleted', 'os_glance_foo', 'locations'])
      expect((await call('POST', '/v2/images', owner, { [field]: 'x' })).status, field).toBe(403);
    const id = await create();
    for (const path of [
      '/status',
      '/size',
      '/checksum',
      '/os_hash_value',
      '/id',
      '/locations',
      '/locations/-',
      '/os_glance_x',
      '/stores',
    ])
      expect((await patch(id, [{ op: 'add', path, value: 'active' }])).status, path).toBe(403);
    expect((await show(id))['status']).toBe('queued');
    for (const [field, value] of [
      ['disk_format', 'wrong'],
      ['container_format', 'wrong'],
      ['min_disk', -1],
      ['name', 7],
      ['custom', 1],
      ['id', 'x'],
      ['visibility', 'me'],
      ['protected', 'yes'],
    ] as const)
      expect((await call('POST', '/v2/images', owner, { [field]: value })).status, field).toBe(400);
    expect((await call('POST', '/v2/images', owner, '{"__proto__":{"a":1}}')).status).toBe(400);
    expect((await call('POST', '/v2/images', owner, '{"a')).status).toBe(400);
    expect((await call('POST', '/v2/images', owner, { name: 'x'.repeat(10 << 20) })).status).toBe(413);
  });

  it('is edited by both shapes of patch', async () => {
    const id = await create();
    const edited = await patch(id, [
      { op: 'replace', path: '/name', value: 'new' },
      { op: 'add', path: '/hw_disk_bus', value: 'virtio' },
      { op: 'replace', path: '/tags', value: ['t'] },
      { op: 'add', path: '/with~1slash', value: 'v' },
    ]);
    expect(edited.body).toMatchObject({ name: 'new', hw_disk_bus: 'virtio', tags: ['t'], 'with/slash': 'v' });
    const old = 'application/openstack-images-v2.0-json-patch';
    expect((await patch(id, [{ replace: '/name', value: 'older' }], owner, old)).body['name']).toBe('older');
    expect((await patch(id, [{ add: '/hw_disk_bus', value: 'x' }], owner, old)).status).toBe(409);
    expect((await patch(id, [{ op: 'remove', path: '/nothing' }])).status).toBe(409);
    expect((await patch(id, [{ op: 'remove', path: '/name' }])).status).toBe(403);
    expect((await patch(id, [{ op: 'replace', path: '/owner', value: 'p2' }])).status).toBe(403);
    expect((await patch(id, [{ op: 'replace', path: '/visibility', value: 'public' }])).status).toBe(403);
    expect((await patch(id, [{ op: 'move', path: '/name', value: 'x' }])).status).toBe(400);
    expect((await patch(id, [], owner, 'application/json')).status).toBe(415);
    expect((await patch(id, [{ op: 'replace', path: '/owner', value: 'p9' }], admin)).body['owner']).toBe('p9');
    expect((await call('GET', `/v2/images/${id}`, owner)).status).toBe(404);
  });

  it('has its formats fixed once it has bytes', async () => {
    const id = await create();
    await upload(id, randomBytes(10));
    expect((await patch(id, [{ op: 'replace', path: '/disk_format', value: 'qcow2' }])).status).toBe(403);
    expect((await call('DELETE', `/v2/images/${id}`, owner)).status).toBe(204);
  });

  it('is safe from deletion while protected', async () => {
    const id = await create(owner, { protected: true });
    expect((await call('DELETE', `/v2/images/${id}`, owner)).status).toBe(403);
    await patch(id, [{ op: 'replace', path: '/protected', value: false }]);
    expect((await call('DELETE', `/v2/images/${id}`, owner)).status).toBe(204);
  });

  it('can be taken out of use', async () => {
    const id = await create();
    expect((await call('POST', `/v2/images/${id}/actions/deactivate`, owner)).status).toBe(403);
    await upload(id, randomBytes(10));
    expect((await call('POST', `/v2/images/${id}/actions/deactivate`, owner)).status).toBe(204);
    expect((await show(id))['status']).toBe('deactivated');
    expect((await call('GET', `/v2/images/${id}/file`, owner)).status).toBe(403);
    expect((await call('GET', `/v2/images/${id}/file`, admin)).status).toBe(200);
    expect((await call('POST', `/v2/images/${id}/actions/reactivate`, owner)).status).toBe(204);
    expect((await call('GET', `/v2/images/${id}/file`, owner)).status).toBe(200);
    await call('DELETE', `/v2/images/${id}`, owner);
  });

  it('carries tags', async () => {
    const id = await create();
    expect((await call('PUT', `/v2/images/${id}/tags/one`, owner)).status).toBe(204);
    expect((await call('PUT', `/v2/images/${id}/tags/one`, owner)).status).toBe(204);
    expect((await show(id))['tags']).toEqual(['one']);
    expect((await call('DELETE', `/v2/images/${id}/tags/one`, owner)).status).toBe(204);
    expect((await call('DELETE', `/v2/images/${id}/tags/one`, owner)).status).toBe(404);
    expect((await call('PUT', `/v2/images/${randomUUID()}/tags/one`, owner)).status).toBe(404);
    expect((await call('PUT', `/v2/images/${id}/tags/one`, other)).status).toBe(404);
  });
});

describe('who sees what', () => {
  it('hides private images of others, and shows public, community and shared ones', async () => {
    const ids = { private: '', shared: '', community: '', public: '' };
    for (const visibility of ['private', 'shared', 'community'] as const)
      ids[visibility] = await create(owner, { visibility });
    ids.public = await create(admin, { visibility: 'public' });
    expect((await call('POST', '/v2/images', owner, { visibility: 'public' })).status).toBe(403);
    const seen = async (id: string) => (await call('GET', `/v2/images/${id}`, other)).status;
    expect([
      await seen(ids.private),
      await seen(ids.shared),
      await seen(ids.community),
      await seen(ids.public),
    ]).toEqual([404, 404, 200, 200]);
    const list = async (query: string) =>
      (await call('GET', `/v2/images?limit=1000&${query}`, other)).body.images.map((image) => image.id);
    const all = await list('');
    expect(all).toContain(ids.public);
    expect(all).not.toContain(ids.community);
    expect(await list('visibility=community')).toContain(ids.community);
    expect((await call('DELETE', `/v2/images/${ids.public}`, other)).status).toBe(403);
    expect((await patch(ids.community, [{ op: 'replace', path: '/name', value: 'mine' }], other)).status).toBe(403);
    expect((await upload(ids.public, randomBytes(3), other)).status).toBe(403);

    expect((await call('POST', `/v2/images/${ids.private}/members`, owner, { member: 'p2' })).status).toBe(403);
    const member = await call('POST', `/v2/images/${ids.shared}/members`, owner, { member: 'p2' });
    expect(member).toMatchObject({ status: 200, body: { member_id: 'p2', image_id: ids.shared, status: 'pending' } });
    expect((await call('POST', `/v2/images/${ids.shared}/members`, owner, { member: 'p2' })).status).toBe(409);
    expect(await list('')).not.toContain(ids.shared);
    expect(await list('member_status=pending&visibility=shared')).toEqual([ids.shared]);
    const at = `/v2/images/${ids.shared}/members/p2`;
    expect((await call('PUT', at, owner, { status: 'accepted' })).status).toBe(403);
    expect((await call('PUT', at, other, { status: 'nonsense' })).status).toBe(400);
    expect((await call('PUT', at, other, { status: 'accepted' })).body['status']).toBe('accepted');
    expect(await list('')).toContain(ids.shared);
    expect((await call('GET', at, other)).status).toBe(200);
    expect((await call('GET', at, bed.token('p3'))).status).toBe(404);
    expect((await call('GET', `/v2/images/${ids.shared}/members`, other)).body['members']).toHaveLength(1);
    expect((await call('DELETE', at, other)).status).toBe(403);
    expect((await call('DELETE', at, owner)).status).toBe(204);
    expect((await call('GET', `/v2/images/${ids.shared}`, other)).status).toBe(404);
  });

  it('has no image with an empty id', async () => {
    for (const method of ['GET', 'DELETE', 'PATCH'])
      expect((await call(method, '/v2/images/', owner)).status, method).toBe(404);
    expect((await call('GET', '/v2/images/?limit=1')).body).toMatchObject({ code: '404 Not Found' });
  });

  it('answers another project and a missing image alike', async () => {
    const id = await create(owner, { visibility: 'private' });
    const foreign = await call('GET', `/v2/images/${id}`, other);
    const missing = await call('GET', `/v2/images/${randomUUID()}`, other);
    expect([foreign.status, missing.status]).toEqual([404, 404]);
    const odd = await call('GET', '/v2/images/a-name', other);
    expect(odd.status).toBe(404);
  });
});

describe('lists', () => {
  it('filters, sorts and pages', async () => {
    const project = bed.token('lister');
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1)
      ids.push(
        await create(project, {
          name: `n${n}`,
          min_ram: n,
          tags: n % 2 ? ['odd', 'x'] : ['x'],
          colour: n < 2 ? 'red' : 'blue',
        }),
      );
    const list = async (query: string) => {
      const answer = await call('GET', `/v2/images?${query}`, project);
      expect(answer.status, query).toBe(200);
      return answer.body.images
        .filter((image) => ids.includes(image.id))
        .map((image) => image.name)
        .join();
    };
    expect(await list('visibility=shared')).toBe('n4,n3,n2,n1,n0');
    expect(await list('sort=name:asc')).toBe('n0,n1,n2,n3,n4');
    expect(await list('sort_key=name&sort_dir=desc')).toBe('n4,n3,n2,n1,n0');
    expect(await list('tag=odd&tag=x&sort=name:asc')).toBe('n1,n3');
    expect(await list('colour=red&sort=name:asc')).toBe('n0,n1');
    expect(await list('name=in:n1,%22n2%22&sort=name:asc')).toBe('n1,n2');
    expect(await list('min_ram=3')).toBe('n3');
    expect(await list('status=queued&owner=lister&limit=2&sort=name:asc')).toBe('n0,n1');
    expect(await list(`created_at=gt:2001-01-01T00:00:00Z&id=${ids[2]}`)).toBe('n2');
    expect(await list('created_at=lt:2001-01-01')).toBe('');
    expect(await list('status=nonsense')).toBe('');
    expect(await list('id=not-a-uuid')).toBe('');
    expect(await list('limit=0')).toBe('');
    for (const bad of [
      'limit=x',
      'limit=-1',
      'sort_key=owner',
      'sort=name:up',
      'visibility=x',
      'size_min=a',
      'marker=x',
      `marker=${randomUUID()}`,
      'created_at=in:3',
      'os_hidden=x',
      'member_status=x',
      'sort=name&sort_key=name',
      'changes-since=1',
      'name=in:%22x',
    ])
      expect((await call('GET', `/v2/images?${bad}`, project)).status, bad).toBe(400);
  });

  it('follows next to the end, and leaves hidden images out', async () => {
    const project = bed.token('pager');
    for (let n = 0; n < 5; n += 1) await create(project, { name: `p${n}` });
    await create(project, { name: 'secret', os_hidden: true });
    const names: string[] = [];
    let next: string | undefined = '/v2/images?limit=2&owner=pager&sort=size:asc,name:asc';
    while (next) {
      const page: Answer = await call('GET', next, project);
      names.push(...page.body.images.map((image) => image.name));
      next = page.body['next'] as string | undefined;
    }
    expect(names).toEqual(['p0', 'p1', 'p2', 'p3', 'p4']);
    expect((await call('GET', '/v2/images?os_hidden=true&owner=pager', project)).body.images).toHaveLength(1);
  });
});

describe('uploads', () => {
  const small = (format: object) => create(bed.token('u'), format);

  it('turns away what is not the declared format, and keeps nothing (class 1)', async () => {
    const token = bed.token('u');
    const before = files();
    const qcow2 = Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), randomBytes(2_000)]);
    const id = await small({});
    const refused = await upload(id, qcow2, token);
    expect(refused.status).toBe(415);
    expect(refused.body['message']).toContain('signature of qcow2');
    expect(await show(id, token)).toMatchObject({ status: 'queued', size: null, checksum: null });
    expect(files()).toEqual(before);
    const declared = await small({ disk_format: 'qcow2' });
    expect((await upload(declared, randomBytes(2_000), token)).status).toBe(415);
    expect((await upload(declared, qcow2, token)).status).toBe(415);
    const vmdk = await small({ disk_format: 'vmdk' });
    expect((await upload(vmdk, randomBytes(20), token)).status).toBe(415);
    const bare = (await call('POST', '/v2/images', token, { name: 'no formats' })).body['id'] as string;
    expect((await upload(bare, randomBytes(20), token)).status).toBe(400);
    expect((await call('PUT', `/v2/images/${id}/file`, token, '{}', 'application/json')).status).toBe(415);
    expect((await upload(id, Buffer.alloc(0), token)).status).toBe(415);
    expect((await upload(id, randomBytes(20), token)).status).toBe(204);
  });

  it('holds to the quota of bytes, told or untold, and gives back on deletion (class 6)', async () => {
    const token = bed.token('q');
    const first = await create(token);
    expect((await upload(first, randomBytes(700_000), token)).status).toBe(204);
    const second = await create(token);
    expect((await upload(second, randomBytes(400_000), token)).status).toBe(413);
    const chunks = async function* (count: number) {
      for (let n = 0; n < count; n += 1) yield randomBytes(50_000);
    };
    const chunked = (id: string, count: number) =>
      fetch(`${bed.url}/v2/images/${id}/file`, {
        method: 'PUT',
        headers: { 'x-auth-token': token, 'content-type': OCTETS },
        body: chunks(count),
        duplex: 'half',
      } as RequestInit).then((response) => response.status);
    expect(await chunked(second, 8)).toBe(413);
    expect((await show(second, token))['status']).toBe('queued');
    expect(await chunked(second, 6)).toBe(204);
    const usage = async () =>
      bed.service.db.one('select images, bytes from project_usage where project_id = $1', ['q']);
    expect(await usage()).toEqual({ images: 2, bytes: 1_000_000 });
    await call('DELETE', `/v2/images/${first}`, token);
    await call('DELETE', `/v2/images/${second}`, token);
    expect(await usage()).toEqual({ images: 0, bytes: 0 });
  });

  it('holds to the quota of images under concurrency', async () => {
    const token = bed.token('many');
    const answers = await Promise.all(Array.from({ length: 80 }, () => call('POST', '/v2/images', token, RAW)));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(60);
    expect(answers.filter((answer) => answer.status === 413)).toHaveLength(20);
  });

  it('lets one of two uploads win', async () => {
    const token = bed.token('race');
    const id = await create(token);
    const answers = await Promise.all([1, 2, 3].map((n) => upload(id, Buffer.alloc(100_000, n), token)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([204, 409, 409]);
    await call('DELETE', `/v2/images/${id}`, token);
  });

  /** Sends `bytes` of an announced `length`, then does what `then` says. */
  const partial = (
    id: string,
    token: string,
    length: number | undefined,
    bytes: number,
    then: 'destroy' | 'stall' | (() => Promise<unknown>),
  ) =>
    new Promise<number | 'closed'>((resolve) => {
      const headers = {
        'x-auth-token': token,
        'content-type': OCTETS,
        ...(length ? { 'content-length': length } : {}),
      };
      const sending = request(`${bed.url}/v2/images/${id}/file`, { method: 'PUT', headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sending.on('error', () => resolve('closed'));
      sending.on('close', () => resolve('closed'));
      sending.write(randomBytes(bytes), () => {
        if (then === 'destroy') setTimeout(() => sending.destroy(), 100);
        else if (typeof then === 'function') setTimeout(() => void then().then(() => sending.end()), 100);
      });
    });
  const settled = async (id: string, token: string) => {
    for (let n = 0; n < 100; n += 1) {
      if ((await show(id, token))['status'] !== 'saving') break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return show(id, token);
  };

  it.each([
    ['told', 400_000],
    ['untold', undefined],
  ])('puts a truncated upload of %s length back', async (name, length) => {
    const token = bed.token(name);
    const id = await create(token);
    expect(await partial(id, token, length, 100_000, 'destroy')).toBe('closed');
    expect(await settled(id, token)).toMatchObject({ status: 'queued', size: null });
    expect(await bed.service.db.one('select bytes from project_usage where project_id = $1', [name])).toEqual({
      bytes: 0,
    });
    expect(files().filter((name) => name.startsWith(id))).toEqual([]);
    expect((await upload(id, randomBytes(10), token)).status).toBe(204);
  });

  it('ends an upload that stalls', async () => {
    const token = bed.token('s');
    const id = await create(token);
    await partial(id, token, 400_000, 1_000, 'stall');
    expect(await settled(id, token)).toMatchObject({ status: 'queued' });
  });

  it('is safe to delete during an upload', async () => {
    const token = bed.token('d');
    const id = await create(token);
    const answer = await partial(id, token, undefined, 100_000, () => call('DELETE', `/v2/images/${id}`, token));
    expect(answer).toBe(410);
    expect(files().filter((name) => name.startsWith(id))).toEqual([]);
    expect(await bed.service.db.one('select images, bytes from project_usage where project_id = $1', ['d'])).toEqual({
      images: 0,
      bytes: 0,
    });
  });

  it('refuses beyond the room on the disk', async () => {
    const full = await testbed({ options: { diskReserveBytes: 2 ** 50 } });
    try {
      const token = full.token('p');
      const headers = { 'x-auth-token': token, 'content-type': 'application/json' };
      const made = await fetch(`${full.url}/v2/images`, { method: 'POST', headers, body: JSON.stringify(RAW) });
      const { id } = (await made.json()) as { id: string };
      const put = { 'x-auth-token': token, 'content-type': OCTETS };
      const answer = await fetch(`${full.url}/v2/images/${id}/file`, {
        method: 'PUT',
        headers: put,
        body: randomBytes(10),
      });
      expect(answer.status).toBe(413);
    } finally {
      await full.close();
    }
  });
});

it('explains itself: schemas, stores, import methods, usage, probes', async () => {
  for (const name of ['image', 'images', 'member', 'members'])
    expect((await call('GET', `/v2/schemas/${name}`, owner)).body['name']).toBe(name);
  expect((await call('GET', '/v2/info/import', owner)).body).toMatchObject({ 'import-methods': { value: [] } });
  expect((await call('GET', '/v2/info/stores', owner)).body['stores']).toHaveLength(1);
  expect((await call('GET', '/v2/info/usage', owner)).body).toMatchObject({
    usage: { image_count_total: { limit: 60 } },
  });
  expect((await call('GET', '/healthz')).status).toBe(200);
  expect((await call('GET', '/metrics')).status).toBe(200);
  expect((await call('GET', '/v2/nothing', owner)).status).toBe(404);
  expect((await call('PUT', '/v2/images', owner, {})).status).toBe(405);
});
