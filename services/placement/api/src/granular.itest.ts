/** Candidates over trees, sharers and groups, as they stand in the answers of the versions that came to know of them. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { ask, provider, service, withService } from '../fixtures/api.js';

withService();

const names = new Map<string, string>();
const ids: Record<string, string> = {};
const RACK = randomUUID();

async function put(
  name: string,
  inventories: Record<string, number>,
  more: { parent?: string; traits?: string[]; aggregates?: string[] } = {},
): Promise<void> {
  const offers = Object.fromEntries(Object.entries(inventories).map(([key, total]) => [key, { total }]));
  const id = await provider(name, more.parent ? { parent_provider_uuid: ids[more.parent] } : {}, offers);
  names.set(id, name);
  ids[name] = id;
  for (const trait of more.traits ?? []) if (trait.startsWith('CUSTOM_')) await ask('PUT', `/traits/${trait}`);
  await ask('PUT', `/resource_providers/${id}/traits`, { resource_provider_generation: 1, traits: more.traits ?? [] });
  await ask('PUT', `/resource_providers/${id}/aggregates`, more.aggregates ?? [], '1.18');
}

/** Two hosts with network cards below two halves each; a disk array that serves the first host; a plain host. */
beforeEach(async () => {
  for (const host of ['one', 'two']) {
    await put(
      host,
      { MEMORY_MB: 4096 },
      { traits: [`CUSTOM_${host.toUpperCase()}`], aggregates: host === 'one' ? [RACK] : [] },
    );
    for (const half of ['a', 'b']) {
      await put(`${host}/${half}`, { VCPU: 4 }, { parent: host, traits: ['HW_NUMA_ROOT'] });
      const traits = half === 'a' ? ['CUSTOM_FAST'] : [];
      await put(`${host}/${half}/nic`, { SRIOV_NET_VF: 2 }, { parent: `${host}/${half}`, traits });
    }
  }
  await put('array', { DISK_GB: 100 }, { traits: ['MISC_SHARES_VIA_AGGREGATE'], aggregates: [RACK] });
  await put('plain', { VCPU: 8, MEMORY_MB: 4096, DISK_GB: 50 });
});

/** Each candidate as one line: provider(class:amount, …) …, in the order of names. */
async function candidates(query: string, version = '1.39'): Promise<string[]> {
  const { status, body } = await ask('GET', `/allocation_candidates?${query}`, undefined, version);
  expect([query, status, body.errors]).toEqual([query, 200, undefined]);
  return body.allocation_requests
    .map(({ allocations }) =>
      Object.entries(allocations)
        .map(([id, { resources }]) => `${names.get(id)}(${Object.entries(resources).map(([k, v]) => `${k}:${v}`)})`)
        .sort()
        .join(' '),
    )
    .sort();
}

describe('allocation candidates', () => {
  it('spread over a tree and its sharers, and only from 1.29 on over more than one of a tree', async () => {
    expect(await candidates('resources=VCPU:1,MEMORY_MB:1,DISK_GB:1')).toEqual([
      'array(DISK_GB:1) one(MEMORY_MB:1) one/a(VCPU:1)',
      'array(DISK_GB:1) one(MEMORY_MB:1) one/b(VCPU:1)',
      'plain(VCPU:1,MEMORY_MB:1,DISK_GB:1)',
    ]);
    expect(await candidates('resources=VCPU:1,MEMORY_MB:1,DISK_GB:1', '1.28')).toEqual([
      'plain(VCPU:1,MEMORY_MB:1,DISK_GB:1)',
    ]);
    expect(await candidates('resources=VCPU:1,DISK_GB:1', '1.28')).toEqual([
      'array(DISK_GB:1) one/a(VCPU:1)',
      'array(DISK_GB:1) one/b(VCPU:1)',
      'plain(VCPU:1,DISK_GB:1)',
    ]);
    expect(await candidates('resources=SRIOV_NET_VF:1', '1.28')).toHaveLength(4);
  });

  it('hold together what belongs to one subtree', async () => {
    const query = 'resources_CPU=VCPU:1&resources_NIC=SRIOV_NET_VF:1&group_policy=none';
    expect(await candidates(query)).toHaveLength(8);
    expect(await candidates(`${query}&same_subtree=_CPU,_NIC`)).toEqual(
      ['one/a', 'one/b', 'two/a', 'two/b'].map((half) => `${half}(VCPU:1) ${half}/nic(SRIOV_NET_VF:1)`),
    );
    expect(
      await candidates(`${query}&same_subtree=_CPU,_NIC&required_NIC=CUSTOM_FAST&in_tree_CPU=${ids['two/b/nic']}`),
    ).toEqual(['two/a(VCPU:1) two/a/nic(SRIOV_NET_VF:1)']);
  });

  it('take a group without resources for where the others have to be', async () => {
    const query =
      'resources_NIC=SRIOV_NET_VF:1&required_NUMA=HW_NUMA_ROOT&same_subtree=_NIC,_NUMA&group_policy=none&required_NIC=CUSTOM_FAST';
    const { body } = await ask('GET', `/allocation_candidates?${query}`);
    const mapped = body.allocation_requests.map(({ mappings }) =>
      Object.entries(mappings)
        .map(([suffix, list]) => `${suffix}=${list.map((id) => names.get(id))}`)
        .sort()
        .join(' '),
    );
    expect(mapped.sort()).toEqual(['_NIC=one/a/nic _NUMA=one/a', '_NIC=two/a/nic _NUMA=two/a']);
    expect(Object.keys(body.provider_summaries)).toHaveLength(10);
  });

  it('add up what groups take of one provider, or keep them apart', async () => {
    const query = 'resources1=VCPU:3&resources2=VCPU:3';
    const isolated = await candidates(`${query}&group_policy=isolate`);
    expect(isolated).toEqual([
      ...['one', 'two'].flatMap((host) => Array.from({ length: 2 }, () => `${host}/a(VCPU:3) ${host}/b(VCPU:3)`)),
    ]);
    expect(await candidates(`${query}&group_policy=none`)).toEqual([
      ...isolated.slice(0, 2),
      'plain(VCPU:6)',
      ...isolated.slice(2),
    ]);
  });

  it('are narrowed by root, by aggregate, by tree, by any of several traits, and cut', async () => {
    const memory = (more: string) => candidates(`resources=MEMORY_MB:1${more}`);
    expect(await memory('&root_required=CUSTOM_ONE')).toEqual(['one(MEMORY_MB:1)']);
    expect(await memory('&root_required=!CUSTOM_ONE')).toEqual(['plain(MEMORY_MB:1)', 'two(MEMORY_MB:1)']);
    expect(await memory(`&member_of=${RACK}`)).toEqual(['one(MEMORY_MB:1)']);
    expect(await memory(`&member_of=!${RACK}`)).toEqual(['plain(MEMORY_MB:1)', 'two(MEMORY_MB:1)']);
    expect(await memory(`&in_tree=${ids['two/a/nic']}`)).toEqual(['two(MEMORY_MB:1)']);
    expect(await memory('&required=in:CUSTOM_ONE,CUSTOM_TWO')).toEqual(['one(MEMORY_MB:1)', 'two(MEMORY_MB:1)']);
    expect(await memory('&required=in:CUSTOM_ONE,CUSTOM_TWO&required=!CUSTOM_ONE')).toEqual(['two(MEMORY_MB:1)']);
    expect(await memory('&limit=1')).toHaveLength(1);
  });

  it('are summed up as far as each version tells', async () => {
    const summary = async (version: string) => {
      const url = `/allocation_candidates?resources=MEMORY_MB:1${version === '1.39' ? '&root_required=CUSTOM_ONE' : ''}`;
      const { body } = await ask('GET', url, undefined, version);
      return body.provider_summaries;
    };
    const full = await summary('1.39');
    expect(
      Object.keys(full)
        .map((id) => names.get(id))
        .sort(),
    ).toEqual(['one', 'one/a', 'one/a/nic', 'one/b', 'one/b/nic']);
    expect(full[ids['one/a']!]).toEqual({
      resources: { VCPU: { capacity: 4, used: 0 } },
      traits: ['HW_NUMA_ROOT'],
      parent_provider_uuid: ids['one'],
      root_provider_uuid: ids['one'],
    });
    const one = (capacity: number) => ({ capacity, used: 0 });
    expect((await summary('1.28'))[ids['plain']!]).toEqual({
      resources: { VCPU: one(8), MEMORY_MB: one(4096), DISK_GB: one(50) },
      traits: [],
    });
    expect((await summary('1.26'))[ids['plain']!]).toEqual({ resources: { MEMORY_MB: one(4096) }, traits: [] });
    expect((await summary('1.16'))[ids['plain']!]).toEqual({ resources: { MEMORY_MB: one(4096) } });
  });
});

it('moves a tree while children are added to it, without losing a root', async () => {
  await Promise.all([
    ...Array.from({ length: 8 }, (_, n) =>
      ask('POST', '/resource_providers', { name: `late-${n}`, parent_provider_uuid: ids['two/a'] }),
    ),
    ask('PUT', `/resource_providers/${ids['two']}`, { name: 'two', parent_provider_uuid: ids['one'] }),
    ask('PUT', `/resource_providers/${ids['one']}`, { name: 'one', parent_provider_uuid: ids['two/b'] }),
  ]);
  const lost = await service().scratch.db.query(
    'select p.name from provider p join provider q on q.id = p.parent_id where p.root_id <> q.root_id',
  );
  expect(lost).toEqual([]);
  const roots = await service().scratch.db.query<{ name: string }>(
    "select name from provider where parent_id is null and name in ('one', 'two')",
  );
  expect(roots).toHaveLength(1);
});

it('renames a class with what is offered and held of it', async () => {
  await ask('PUT', '/resource_classes/CUSTOM_A');
  await put('gpu', { CUSTOM_A: 4 });
  const body = { allocations: { [ids['gpu']!]: { resources: { CUSTOM_A: 3 } } }, project_id: 'p1', user_id: 'u1' };
  const consumer = randomUUID();
  expect((await ask('PUT', `/allocations/${consumer}`, body, '1.12')).status).toBe(204);
  expect((await ask('PUT', '/resource_classes/CUSTOM_A', { name: 'CUSTOM_B' }, '1.6')).status).toBe(200);
  expect((await ask('GET', `/resource_providers/${ids['gpu']}/usages`)).body.usages).toEqual({ CUSTOM_B: 3 });
  expect((await ask('GET', `/allocations/${consumer}`)).body.allocations).toMatchObject({
    [ids['gpu']!]: { resources: { CUSTOM_B: 3 } },
  });
});
