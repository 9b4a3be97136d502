/** The API over a real database: what clients send and expect, version by version. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BooksRepo } from '#services/placement/data';
import { ADMIN, ask, holds, provider, READER, SERVICE, service, withService } from '../fixtures/api.js';

withService();

describe('providers', () => {
  it('are made, shown, renamed and deleted, with what each version shows', async () => {
    const uuid = randomUUID();
    const old = await ask('POST', '/resource_providers', { name: 'a', uuid }, '1.0');
    expect([old.status, old.body, old.headers['location']]).toEqual([
      201,
      undefined,
      `http://cloud.example/placement/resource_providers/${uuid}`,
    ]);
    expect((await ask('GET', `/resource_providers/${uuid}`, undefined, '1.0')).body).toEqual({
      uuid,
      name: 'a',
      generation: 0,
      links: ['', '/inventories', '/usages'].map((path) => ({
        rel: path.slice(1) || 'self',
        href: `/placement/resource_providers/${uuid}${path}`,
      })),
    });
    const shown = await ask('GET', `/resource_providers/${uuid}`);
    expect(shown.body).toMatchObject({ root_provider_uuid: uuid, parent_provider_uuid: null });
    expect(shown.body.links.map((link) => link.rel)).toEqual([
      'self',
      'inventories',
      'usages',
      'aggregates',
      'traits',
      'allocations',
    ]);
    expect(shown.headers).toMatchObject({ 'cache-control': 'no-cache', 'openstack-api-version': 'placement 1.39' });
    expect((await ask('PUT', `/resource_providers/${uuid}`, { name: 'b' })).body).toMatchObject({
      name: 'b',
      generation: 0,
    });
    expect((await ask('DELETE', `/resource_providers/${uuid}`)).status).toBe(204);
    expect((await ask('GET', `/resource_providers/${uuid}`)).status).toBe(404);
    expect(await ask('POST', '/resource_providers', { name: 'a', uuid })).toMatchObject({
      status: 200,
      body: { generation: 0 },
    });
  });

  it('refuse doubles, unknown fields, unknown parents, and to go while in use', async () => {
    const id = await provider('a');
    expect(await ask('POST', '/resource_providers', { name: 'a' })).toMatchObject({
      status: 409,
      body: { errors: [{ code: 'placement.duplicate_name' }] },
    });
    expect((await ask('POST', '/resource_providers', { name: 'c', color: 'red' })).status).toBe(400);
    expect((await ask('POST', '/resource_providers', { name: 'c', parent_provider_uuid: randomUUID() })).status).toBe(
      400,
    );
    expect((await ask('POST', '/resource_providers', { name: 'c', parent_provider_uuid: id }, '1.13')).status).toBe(
      400,
    );
    const child = await provider('c', { parent_provider_uuid: id });
    expect(await ask('DELETE', `/resource_providers/${id}`)).toMatchObject({
      status: 409,
      body: { errors: [{ code: 'placement.resource_provider.cannot_delete_parent' }] },
    });
    expect((await holds(randomUUID(), { [child]: { VCPU: 1 } })).status).toBe(204);
    expect((await ask('DELETE', `/resource_providers/${child}`)).status).toBe(409);
    expect((await ask('GET', '/resource_providers', undefined, '1.40')).status).toBe(406);
    expect((await ask('GET', '/resource_providers', undefined, '1.39', READER)).status).toBe(403);
  });

  it('move with their trees from 1.37 on, never into themselves', async () => {
    const [a, b] = [await provider('a'), await provider('b')];
    const child = await provider('child', { parent_provider_uuid: a });
    const move = (id: string, parent: string | null, version = '1.39') =>
      ask('PUT', `/resource_providers/${id}`, { name: `n-${id}`, parent_provider_uuid: parent }, version);
    expect((await move(child, b, '1.36')).status).toBe(400);
    expect((await move(child, b)).body).toMatchObject({ parent_provider_uuid: b, root_provider_uuid: b });
    expect((await move(b, child)).status).toBe(400);
    expect((await move(child, null)).body).toMatchObject({ parent_provider_uuid: null, root_provider_uuid: child });
    expect((await ask('GET', `/resource_providers?in_tree=${a}`)).body.resource_providers).toHaveLength(1);
  });

  it('belong to aggregates, guarded by the generation from 1.19 on', async () => {
    const id = await provider('a');
    const path = `/resource_providers/${id}/aggregates`;
    const aggregate = randomUUID();
    expect((await ask('PUT', path, [aggregate], '1.18')).body).toEqual({ aggregates: [aggregate] });
    expect((await ask('GET', path, undefined, '1.1')).body).toEqual({ aggregates: [aggregate] });
    const guarded = (generation: number) =>
      ask('PUT', path, { aggregates: [], resource_provider_generation: generation });
    expect((await guarded(0)).status).toBe(409);
    expect((await guarded(1)).body).toEqual({ aggregates: [], resource_provider_generation: 2 });
  });

  it('are filtered by name, resources, traits and aggregates', async () => {
    const [a, b] = [await provider('a'), await provider('b')];
    const aggregate = randomUUID();
    await ask('PUT', `/resource_providers/${a}/aggregates`, {
      aggregates: [aggregate],
      resource_provider_generation: 1,
    });
    await ask('PUT', `/resource_providers/${b}/traits`, {
      traits: ['HW_CPU_X86_AVX2'],
      resource_provider_generation: 1,
    });
    const names = async (query: string) => {
      const { body } = await ask('GET', `/resource_providers?${query}`);
      return body.resource_providers.map((each) => each.name).sort();
    };
    expect(await names('')).toEqual(['a', 'b']);
    expect(await names('name=a')).toEqual(['a']);
    expect(await names(`uuid=${b}`)).toEqual(['b']);
    expect(await names('resources=VCPU:9')).toEqual([]);
    expect(await names('required=HW_CPU_X86_AVX2')).toEqual(['b']);
    expect(await names('required=!HW_CPU_X86_AVX2')).toEqual(['a']);
    expect(await names('required=in:HW_CPU_X86_AVX2,HW_CPU_X86_VMX&required=!HW_CPU_X86_VMX')).toEqual(['b']);
    expect(await names(`member_of=in:${aggregate},${randomUUID()}`)).toEqual(['a']);
    expect(await names(`member_of=!${aggregate}`)).toEqual(['b']);
    for (const query of [
      'resources=VCPU',
      'resources=NOPE:1',
      'required=CUSTOM_NOPE',
      'member_of=x',
      'nonsense=1',
      'uuid=x',
    ]) {
      expect([query, (await ask('GET', `/resource_providers?${query}`)).status]).toEqual([query, 400]);
    }
    expect((await ask('GET', '/resource_providers?resources=VCPU:1', undefined, '1.3')).status).toBe(400);
  });
});

describe('inventories', () => {
  it('are guarded by the generation, and by what is used of them', async () => {
    const id = await provider('a');
    const path = `/resource_providers/${id}/inventories`;
    expect((await ask('GET', path)).body).toEqual({
      resource_provider_generation: 1,
      inventories: {
        VCPU: { total: 8, reserved: 0, min_unit: 1, max_unit: 2147483647, step_size: 1, allocation_ratio: 1 },
        MEMORY_MB: { total: 4096, reserved: 0, min_unit: 1, max_unit: 2147483647, step_size: 1, allocation_ratio: 1 },
      },
    });
    expect(await ask('PUT', `${path}/VCPU`, { resource_provider_generation: 0, total: 16 })).toMatchObject({
      status: 409,
      body: { errors: [{ code: 'placement.concurrent_update' }] },
    });
    expect((await ask('PUT', `${path}/VCPU`, { resource_provider_generation: 1, total: 16 })).body).toMatchObject({
      total: 16,
      resource_provider_generation: 2,
    });
    expect(await ask('POST', path, { resource_class: 'DISK_GB', total: 100 })).toMatchObject({
      status: 201,
      body: { total: 100 },
    });
    expect((await ask('POST', path, { resource_class: 'DISK_GB', total: 100 })).status).toBe(409);
    expect(
      (await ask('PUT', path, { resource_provider_generation: 3, inventories: { CUSTOM_NOPE: { total: 1 } } })).status,
    ).toBe(400);
    expect(
      (
        await ask(
          'PUT',
          path,
          { resource_provider_generation: 3, inventories: { VCPU: { total: 4, reserved: 4 } } },
          '1.25',
        )
      ).status,
    ).toBe(400);
    await holds(randomUUID(), { [id]: { VCPU: 1 } });
    expect(await ask('DELETE', `${path}/VCPU`)).toMatchObject({
      status: 409,
      body: { errors: [{ code: 'placement.concurrent_update' }] },
    });
    expect((await ask('DELETE', path)).status).toBe(409);
    expect((await ask('DELETE', `${path}/DISK_GB`)).status).toBe(204);
    expect((await ask('GET', `${path}/DISK_GB`)).status).toBe(404);
    expect((await ask('GET', `/resource_providers/${id}/usages`)).body.usages).toEqual({ VCPU: 1, MEMORY_MB: 0 });
  });
});

describe('names', () => {
  it('of traits and classes: standard ones stay, custom ones come and go', async () => {
    expect((await ask('GET', '/traits?name=startswith:HW_CPU_X86_AVX2')).body.traits).toEqual(['HW_CPU_X86_AVX2']);
    expect((await ask('PUT', '/traits/CUSTOM_A')).status).toBe(201);
    expect((await ask('PUT', '/traits/CUSTOM_A')).status).toBe(204);
    expect((await ask('GET', '/traits/CUSTOM_A')).status).toBe(204);
    expect((await ask('GET', '/traits/CUSTOM_B')).status).toBe(404);
    expect((await ask('PUT', '/traits/OTHER')).status).toBe(400);
    const id = await provider('a');
    expect(
      (await ask('PUT', `/resource_providers/${id}/traits`, { traits: ['CUSTOM_A'], resource_provider_generation: 1 }))
        .body,
    ).toEqual({ traits: ['CUSTOM_A'], resource_provider_generation: 2 });
    expect((await ask('GET', '/traits?associated=true')).body.traits).toEqual(['CUSTOM_A']);
    expect((await ask('DELETE', '/traits/CUSTOM_A')).status).toBe(409);
    expect((await ask('DELETE', `/resource_providers/${id}/traits`)).status).toBe(204);
    expect((await ask('DELETE', '/traits/CUSTOM_A')).status).toBe(204);
    expect((await ask('DELETE', '/traits/HW_CPU_X86_VMX')).status).toBe(400);
    expect((await ask('POST', '/resource_classes', { name: 'CUSTOM_FPGA' })).status).toBe(201);
    expect((await ask('POST', '/resource_classes', { name: 'CUSTOM_FPGA' })).status).toBe(409);
    expect((await ask('PUT', '/resource_classes/CUSTOM_FPGA', { name: 'CUSTOM_GPU' }, '1.6')).body).toMatchObject({
      name: 'CUSTOM_GPU',
    });
    expect((await ask('PUT', '/resource_classes/CUSTOM_GPU')).status).toBe(204);
    expect((await ask('GET', '/resource_classes/VCPU')).body.links[0]?.href).toBe('/placement/resource_classes/VCPU');
    expect((await ask('DELETE', '/resource_classes/VCPU')).status).toBe(400);
    expect((await ask('DELETE', '/resource_classes/CUSTOM_GPU')).status).toBe(204);
    expect((await ask('GET', '/resource_classes', undefined, '1.1')).status).toBe(404);
  });
});

describe('allocations', () => {
  it('are all or nothing, guarded by the consumer, and counted', async () => {
    const [a, b] = [await provider('a'), await provider('b')];
    const consumer = randomUUID();
    expect((await holds(consumer, { [a]: { VCPU: 2 }, [b]: { VCPU: 9 } })).status).toBe(409);
    expect((await ask('GET', `/allocations/${consumer}`)).body).toEqual({ allocations: {} });
    expect((await holds(consumer, { [a]: { VCPU: 2, MEMORY_MB: 64 } })).status).toBe(204);
    expect((await holds(consumer, { [b]: { VCPU: 2 } })).body.errors[0]?.code).toBe('placement.concurrent_update');
    expect((await ask('GET', `/allocations/${consumer}`)).body).toEqual({
      allocations: { [a]: { generation: 2, resources: { VCPU: 2, MEMORY_MB: 64 } } },
      project_id: 'p1',
      user_id: 'u1',
      consumer_generation: 1,
      consumer_type: 'INSTANCE',
    });
    expect((await holds(consumer, { [b]: { VCPU: 8 } }, 1)).status).toBe(204);
    expect((await ask('GET', `/resource_providers/${b}/allocations`)).body.allocations).toEqual({
      [consumer]: { resources: { VCPU: 8 }, consumer_generation: 2 },
    });
    expect((await ask('GET', '/usages?project_id=p1')).body).toEqual({
      usages: { INSTANCE: { consumer_count: 1, VCPU: 8 } },
    });
    expect((await ask('GET', '/usages?project_id=p1', undefined, '1.37')).body).toEqual({ usages: { VCPU: 8 } });
    expect((await ask('GET', '/usages?project_id=p1', undefined, '1.39', READER)).status).toBe(200);
    expect((await ask('GET', '/usages?project_id=p2', undefined, '1.39', READER)).status).toBe(403);
    expect((await holds(randomUUID(), { [randomUUID()]: { VCPU: 1 } })).status).toBe(400);
    expect((await holds(randomUUID(), { [a]: { DISK_GB: 1 } })).status).toBe(409);
    expect((await holds(randomUUID(), { [a]: { NOPE: 1 } })).status).toBe(400);
    expect((await ask('DELETE', `/allocations/${consumer}`)).status).toBe(204);
    expect((await ask('DELETE', `/allocations/${consumer}`)).status).toBe(404);
    expect(await new BooksRepo(service().scratch.db).mismatches()).toEqual([]);
  });

  it('speak the older shapes', async () => {
    const a = await provider('a');
    const consumer = randomUUID();
    const list = { allocations: [{ resource_provider: { uuid: a }, resources: { VCPU: 1 } }] };
    expect((await ask('PUT', `/allocations/${consumer}`, list, '1.0')).status).toBe(204);
    expect((await ask('PUT', `/allocations/${consumer}`, list, '1.8')).status).toBe(400);
    expect(
      (await ask('PUT', `/allocations/${consumer}`, { ...list, project_id: 'p', user_id: 'u' }, '1.8')).status,
    ).toBe(204);
    expect((await ask('GET', `/allocations/${consumer}`, undefined, '1.11')).body).toEqual({
      allocations: { [a]: { generation: 3, resources: { VCPU: 1 } } },
    });
    expect(
      (await ask('PUT', `/allocations/${consumer}`, { allocations: {}, project_id: 'p', user_id: 'u' }, '1.27')).status,
    ).toBe(400);
  });

  it('of several consumers move at once, and reshapes with their inventories', async () => {
    const [a, b] = [await provider('a'), await provider('b')];
    const [x, y] = [randomUUID(), randomUUID()];
    await holds(x, { [a]: { VCPU: 8 } });
    const wish = (id: string, generation: number | null) => ({
      allocations: { [id]: { resources: { VCPU: 8 } } },
      project_id: 'p1',
      user_id: 'u1',
      consumer_generation: generation,
      consumer_type: 'INSTANCE',
    });
    expect((await ask('POST', '/allocations', { [x]: wish(b, 1), [y]: wish(a, null) })).status).toBe(204);
    expect((await ask('GET', `/resource_providers/${a}/usages`)).body.usages['VCPU']).toBe(8);
    const reshape = (body: unknown) => ask('POST', '/reshaper', body, '1.39', SERVICE);
    const generation = async (id: string) => (await ask('GET', `/resource_providers/${id}`)).body.generation;
    const shape = { [a]: { resource_provider_generation: await generation(a), inventories: {} } };
    expect((await reshape({ inventories: shape, allocations: {} })).status).toBe(409);
    const c = await provider('c');
    expect((await reshape({ inventories: shape, allocations: { [y]: wish(c, 1) } })).status).toBe(204);
    expect((await ask('GET', `/resource_providers/${a}/inventories`)).body.inventories).toEqual({});
    expect(await new BooksRepo(service().scratch.db).mismatches()).toEqual([]);
  });
});

describe('allocation candidates', () => {
  const query = '/allocation_candidates?limit=1000&resources=VCPU:1,MEMORY_MB:64';

  it('say where a request may go, in the words of each version', async () => {
    const a = await provider('a');
    const full = await provider('full');
    await holds(randomUUID(), { [full]: { VCPU: 8 } });
    expect((await ask('GET', query, undefined, '1.36')).body).toEqual({
      allocation_requests: [{ allocations: { [a]: { resources: { VCPU: 1, MEMORY_MB: 64 } } }, mappings: { '': [a] } }],
      provider_summaries: {
        [a]: {
          resources: { VCPU: { capacity: 8, used: 0 }, MEMORY_MB: { capacity: 4096, used: 0 } },
          traits: [],
          parent_provider_uuid: null,
          root_provider_uuid: a,
        },
      },
    });
    const old = (await ask('GET', '/allocation_candidates?resources=VCPU:1', undefined, '1.10')).body;
    expect(old).toEqual({
      allocation_requests: [{ allocations: [{ resource_provider: { uuid: a }, resources: { VCPU: 1 } }] }],
      provider_summaries: { [a]: { resources: { VCPU: { capacity: 8, used: 0 } } } },
    });
  });

  it('refuse what a version does not know', async () => {
    const plain = '/allocation_candidates?resources=VCPU:1';
    for (const [bad, version] of [
      ['/allocation_candidates', '1.36'],
      ['/allocation_candidates?required=HW_CPU_X86_VMX', '1.36'],
      [`${plain}&color=red`, '1.36'],
      [`${plain}&limit=0`, '1.36'],
      [`${plain}&limit=1`, '1.15'],
      [`${plain}&resources_A=VCPU:1`, '1.32'],
      [`${plain}&resources_A=VCPU:1&resources_B=VCPU:1`, '1.36'],
      [`${plain}&required_A=HW_CPU_X86_VMX`, '1.36'],
      [`${plain}&same_subtree=_A`, '1.36'],
      [`${plain}&required=in:HW_CPU_X86_VMX`, '1.38'],
    ] as const) {
      expect([bad, (await ask('GET', bad, undefined, version)).status]).toEqual([bad, 400]);
    }
    expect((await ask('GET', query, undefined, '1.9')).status).toBe(404);
  });

  it('combine named groups over a tree', async () => {
    const host = await provider('host');
    const child = await provider('nic', { parent_provider_uuid: host }, { SRIOV_NET_VF: { total: 4 } });
    const found = (await ask('GET', '/allocation_candidates?resources=VCPU:1&resources_N=SRIOV_NET_VF:1')).body;
    expect(found.allocation_requests).toEqual([
      {
        allocations: { [host]: { resources: { VCPU: 1 } }, [child]: { resources: { SRIOV_NET_VF: 1 } } },
        mappings: { '': [host], _N: [child] },
      },
    ]);
    expect(Object.keys(found.provider_summaries).sort()).toEqual([host, child].sort());
  });

  it('cost little over a thousand providers', async () => {
    await service().scratch.db.exec(
      `insert into provider (id, name, root_id, inventories)
       select id, id::text, id, $1::jsonb from (select gen_random_uuid() as id from generate_series(1, 1000)) g`,
      [
        JSON.stringify(
          Object.fromEntries(
            ['VCPU', 'MEMORY_MB', 'DISK_GB'].map((name) => [
              name,
              { total: 262144, reserved: 0, min_unit: 1, max_unit: 1000000, step_size: 1, allocation_ratio: 1 },
            ]),
          ),
        ),
      ],
    );
    const url = '/allocation_candidates?limit=1000&resources=VCPU:1,MEMORY_MB:64,DISK_GB:1';
    expect((await ask('GET', url, undefined, '1.36')).body.allocation_requests).toHaveLength(1000);
    const headers = { 'x-auth-token': ADMIN, 'openstack-api-version': 'placement 1.36' };
    const begun = process.threadCpuUsage();
    for (let n = 0; n < 20; n += 1) await service().app.inject({ method: 'GET', url, headers });
    const { user, system } = process.threadCpuUsage(begun);
    const ms = (user + system) / 20_000;
    console.error(`allocation candidates over 1,000 providers: ${ms.toFixed(1)} ms of CPU`);
    expect(ms).toBeLessThan(40);
  });
});

it('says what it is without a token', async () => {
  const answer = await service().app.inject({ method: 'GET', url: '/' });
  expect([answer.statusCode, answer.json().versions[0].max_version]).toEqual([200, '1.39']);
});
