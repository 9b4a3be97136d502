/** What is refused, with the status, the code and the words that clients of upstream's service look for; and nothing changes. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { ADMIN, type Answer, ask, holds, provider, READER, SERVICE, service, withService } from '../fixtures/api.js';

withService();

const state = () =>
  service().scratch.db.query(
    `select name, generation, parent_id, root_id, inventories, used, traits, aggregates from provider order by name`,
  );

/** Status, code and words of a refusal that must have changed nothing. */
async function refused(call: () => Promise<Answer>): Promise<[number, string | undefined, string]> {
  const before = await state();
  const { status, body } = await call();
  expect(await state()).toEqual(before);
  const [error] = body.errors;
  expect(error?.status).toBe(status);
  return [status, error?.code?.replace('placement.', ''), error?.detail ?? ''];
}
const words = (part: string) => expect.stringContaining(part);

let a = '';
let b = '';
beforeEach(async () => {
  [a, b] = [await provider('a'), await provider('b')];
});

describe('providers', () => {
  const create = (body: unknown, version?: string) => refused(() => ask('POST', '/resource_providers', body, version));
  const update = (id: string, body: unknown, version?: string) =>
    refused(() => ask('PUT', `/resource_providers/${id}`, body, version));

  it('with the name or the id of another, however it is spelled', async () => {
    expect(await create({ name: 'a' })).toEqual([
      409,
      'duplicate_name',
      'Conflicting resource provider name: a already exists.',
    ]);
    for (const uuid of [a, a.replaceAll('-', ''), a.toUpperCase()]) {
      expect(await create({ name: 'c', uuid })).toEqual([
        409,
        'duplicate_name',
        `Conflicting resource provider uuid: ${a} already exists.`,
      ]);
    }
    expect(await update(a, { name: 'b' })).toEqual([409, 'duplicate_name', words('provider b already exists')]);
  });

  it('with a parent that may not be', async () => {
    const none = randomUUID();
    expect(await create({ name: 'c', parent_provider_uuid: none })).toEqual([
      400,
      'undefined_code',
      words('parent provider UUID does not exist.'),
    ]);
    const own = randomUUID();
    expect((await create({ name: 'c', uuid: own, parent_provider_uuid: own }))[2]).toBe(
      `Unable to create resource provider "c", ${own}: Object action create failed because: parent provider UUID cannot be same as UUID. Please set parent provider UUID to None if there is no parent.`,
    );
    expect((await create({ name: 'c', parent_provider_uuid: a }, '1.13'))[2]).toContain('JSON does not validate');
    const child = await provider('child', { parent_provider_uuid: a });
    expect((await update(child, { name: 'child', parent_provider_uuid: b }, '1.36'))[2]).toBe(
      `Unable to save resource provider ${child}: Object action update failed because: re-parenting a provider is not currently allowed.`,
    );
    expect((await update(child, { name: 'child', parent_provider_uuid: null }, '1.36'))[2]).toContain('un-parenting');
    expect((await update(a, { name: 'a', parent_provider_uuid: child }))[2]).toContain('creating loop');
    expect((await update(a, { name: 'a', parent_provider_uuid: none }))[2]).toContain('does not exist');
  });

  it('to go while something hangs on them, or when there are none', async () => {
    const child = await provider('child', { parent_provider_uuid: a });
    await holds(randomUUID(), { [child]: { VCPU: 1 } });
    const remove = (id: string) => refused(() => ask('DELETE', `/resource_providers/${id}`));
    expect(await remove(a)).toEqual([409, 'resource_provider.cannot_delete_parent', words('has child')]);
    expect(await remove(child)).toEqual([409, 'resource_provider.inuse', words('has allocations')]);
    expect(await remove(randomUUID())).toEqual([404, 'undefined_code', words('found for delete')]);
    expect((await remove('not-a-uuid'))[0]).toBe(404);
  });
});

describe('inventories and traits', () => {
  const put = (path: string, body: unknown, version?: string) =>
    refused(() => ask('PUT', `/resource_providers/${a}/${path}`, body, version));

  it('for another generation', async () => {
    const stale = { resource_provider_generation: 0 };
    const lost = [409, 'concurrent_update', words("Resource provider's generation already changed")];
    expect(await put('traits', { ...stale, traits: [] })).toEqual(lost);
    expect(await put('aggregates', { ...stale, aggregates: [] })).toEqual(lost);
    for (const [path, body] of [
      ['inventories', { ...stale, inventories: {} }],
      ['inventories/VCPU', { ...stale, total: 1 }],
    ] as const) {
      expect(await put(path, body)).toEqual([409, 'concurrent_update', words('generation conflict')]);
    }
  });

  it('of what nobody knows, and what makes no sense', async () => {
    const fresh = { resource_provider_generation: 1 };
    expect((await put('inventories', { ...fresh, inventories: { HOUSE: { total: 1 } } }))[2]).toBe(
      `Unknown resource class in inventory for resource provider ${a}: No such resource class HOUSE.`,
    );
    expect((await put('inventories/DISK_GB', { ...fresh, total: 1 }))[2]).toContain(
      'No inventory record with resource',
    );
    expect((await put('traits', { ...fresh, traits: ['CUSTOM_NOPE'] }))[2]).toBe('No such trait CUSTOM_NOPE');
    const full = { VCPU: { total: 4, reserved: 4 } };
    expect((await put('inventories', { ...fresh, inventories: full }, '1.25'))[2]).toContain(
      'greater than or equal to',
    );
    const over = { VCPU: { total: 4, reserved: 5 } };
    expect((await put('inventories', { ...fresh, inventories: over }))[2]).toContain(
      'reserved value is greater than t',
    );
    const post = (body: unknown) => refused(() => ask('POST', `/resource_providers/${a}/inventories`, body));
    expect(await post({ resource_class: 'VCPU', total: 1 })).toEqual([
      409,
      'concurrent_update',
      words('Update conflict'),
    ]);
    expect((await post({ resource_class: 'NOPE', total: 1 }))[2]).toContain('No such resource class NOPE.');
  });

  it('to go while in use, and to go all at once before 1.5', async () => {
    await holds(randomUUID(), { [a]: { VCPU: 1 } });
    const remove = (path: string, version?: string) =>
      refused(() => ask('DELETE', `/resource_providers/${a}/inventories${path}`, undefined, version));
    expect(await remove('/VCPU')).toEqual([
      409,
      'concurrent_update',
      words(`Inventory for 'VCPU' on resource provider '${a}' in use.`),
    ]);
    expect((await remove(''))[1]).toBe('inventory.inuse');
    expect(await remove('', '1.4')).toEqual([405, undefined, words('DELETE is not allowed')]);
    expect((await remove('/DISK_GB'))[2]).toContain('No inventory of class DISK_GB found for delete');
  });

  it('names that are standard, in use, or taken', async () => {
    await ask('PUT', '/resource_classes/CUSTOM_A');
    await ask('PUT', '/resource_classes/CUSTOM_B');
    await ask('PUT', `/resource_providers/${a}/inventories`, {
      resource_provider_generation: 1,
      inventories: { CUSTOM_A: { total: 1 } },
    });
    const gone = (path: string) => refused(() => ask('DELETE', path));
    expect(await gone('/resource_classes/VCPU')).toEqual([400, 'undefined_code', words('Cannot delete standard')]);
    expect(await gone('/resource_classes/CUSTOM_A')).toEqual([409, 'undefined_code', words('Class is in use in inv')]);
    expect(await gone('/traits/HW_CPU_X86_VMX')).toEqual([
      400,
      'undefined_code',
      words('Cannot delete standard trait'),
    ]);
    expect(await gone('/traits/CUSTOM_X')).toEqual([404, 'undefined_code', 'No such trait(s): CUSTOM_X.']);
    const rename = (from: string, name: string) =>
      refused(() => ask('PUT', `/resource_classes/${from}`, { name }, '1.6'));
    expect((await rename('CUSTOM_A', 'CUSTOM_B')).slice(0, 1)).toEqual([409]);
    expect((await rename('VCPU', 'CUSTOM_C')).slice(0, 1)).toEqual([400]);
    expect((await refused(() => ask('PUT', '/resource_classes/COW')))[2]).toContain("Failed validating 'pattern'");
  });
});

describe('allocations', () => {
  const who = { project_id: 'p1', user_id: 'u1', consumer_generation: null, consumer_type: 'INSTANCE' };
  const put = (id: string, body: unknown, version?: string) =>
    refused(() => ask('PUT', `/allocations/${id}`, body, version));

  it('that do not fit, or of what is not there', async () => {
    const id = randomUUID();
    const take = (resources: Record<string, number>) => put(id, { ...who, allocations: { [a]: { resources } } });
    expect(await take({ VCPU: 9 })).toEqual([
      409,
      'undefined_code',
      `Unable to allocate inventory: Unable to create allocation for 'VCPU' on resource provider '${a}'. The requested amount would exceed the capacity.`,
    ]);
    expect((await take({ DISK_GB: 1 }))[2]).toContain(`Inventory for 'DISK_GB' on resource provider '${a}' invalid.`);
    expect(await take({ COWS: 1 })).toEqual([
      400,
      'undefined_code',
      words(`for consumer ${id}: No such resource class COWS`),
    ]);
    await ask('PUT', `/resource_providers/${a}/inventories/VCPU`, {
      ...{ resource_provider_generation: 1, total: 8, min_unit: 2, max_unit: 4, step_size: 2 },
    });
    for (const VCPU of [1, 3, 6]) expect((await take({ VCPU }))[2]).toContain('would violate inventory constraints.');
    const none = randomUUID();
    expect((await put(id, { ...who, allocations: { [none]: { resources: { VCPU: 1 } } } }))[2]).toBe(
      `Allocation for resource provider '${none}' that does not exist.`,
    );
  });

  it('of a consumer that is another generation', async () => {
    const id = randomUUID();
    const one = { [a]: { resources: { VCPU: 1 } } };
    const at = (consumer_generation: number | null) => put(id, { ...who, allocations: one, consumer_generation });
    expect(await at(3)).toEqual([409, 'concurrent_update', 'consumer generation conflict - expected null but got 3']);
    await holds(id, { [a]: { VCPU: 1 } });
    expect(await at(3)).toEqual([409, 'concurrent_update', 'consumer generation conflict - expected 1 but got 3']);
    expect((await at(null))[2]).toBe('consumer generation conflict - expected 1 but got None');
  });

  it('that are shaped as another version has them', async () => {
    const id = randomUUID();
    const allocations = { [a]: { resources: { VCPU: 1 } } };
    const old = { project_id: 'p', user_id: 'u' };
    expect((await put('not-a-uuid', { ...who, allocations }))[2]).toBe('Malformed consumer_uuid: not-a-uuid');
    expect((await put(id, { ...old, allocations: {} }, '1.27'))[2]).toContain('should be non-empty');
    expect((await put(id, { ...old, allocations }, '1.28'))[2]).toContain(
      "'consumer_generation' is a required property",
    );
    expect((await put(id, { ...old, allocations, consumer_generation: null }, '1.38'))[2]).toContain(
      "'consumer_type' is",
    );
    expect((await put(id, { ...who, allocations }, '1.37'))[2]).toContain("('consumer_type' was unexpected)");
    expect((await put(id, { ...who, allocations, mappings: {} }))[2]).toContain("Failed validating 'minProperties'");
    expect((await put(id, { ...who, allocations: { [a]: { resources: { VCPU: 0 } } } }))[2]).toContain(
      'less than the min',
    );
  });

  it('but not for a provider generation, which is only repeated from what was read', async () => {
    const allocations = { [a]: { generation: 0, resources: { VCPU: 1 } } };
    expect((await ask('PUT', `/allocations/${randomUUID()}`, { ...who, allocations })).status).toBe(204);
  });

  it('and are found under any spelling of the consumer', async () => {
    const id = randomUUID();
    await holds(id.replaceAll('-', ''), { [a]: { VCPU: 1 } });
    expect((await ask('GET', `/allocations/${id.toUpperCase()}`)).body.allocations).toHaveProperty(a);
    expect((await ask('GET', '/allocations/nobody')).body).toEqual({ allocations: {} });
    expect((await ask('DELETE', `/allocations/${id.replaceAll('-', '')}`)).status).toBe(204);
  });

  it('when reshaped: unknown providers, other generations, and what would be left over', async () => {
    const held = randomUUID();
    await holds(held, { [a]: { VCPU: 1 } });
    const reshape = (inventories: unknown, allocations: unknown = {}) =>
      refused(() => ask('POST', '/reshaper', { inventories, allocations }, '1.39', SERVICE));
    const of = (generation: number, inventories: unknown = {}) => ({
      resource_provider_generation: generation,
      inventories,
    });
    expect(await reshape({ [randomUUID()]: of(0) })).toEqual([400, 'resource_provider.not_found', words('not found')]);
    expect(await reshape({ [a]: of(1) })).toEqual([409, 'concurrent_update', words('actual: 2, given: 1')]);
    expect(await reshape({ [a]: of(2) })).toEqual([409, 'inventory.inuse', words("'VCPU' on resource provider")]);
    const nowhere = { [b]: { resources: { VCPU: 9 } } };
    const move = { [held]: { ...who, consumer_generation: 1, allocations: nowhere } };
    expect((await reshape({ [a]: of(2) }, move))[2]).toContain('would exceed the capacity');
    expect((await refused(() => ask('POST', '/reshaper', {}, '1.39', ADMIN)))[0]).toBe(403);
  });
});

describe('requests', () => {
  it('of who may not, before the body is looked at', async () => {
    expect(
      (await refused(() => ask('PUT', `/resource_providers/${a}/traits`, { nonsense: 1 }, '1.39', READER)))[0],
    ).toBe(403);
    expect((await ask('GET', '/resource_providers', undefined, '1.39', SERVICE)).status).toBe(200);
  });

  it('in another language', async () => {
    const get = (headers: Record<string, string>) =>
      ask('GET', '/resource_providers', undefined, '1.39', ADMIN, headers);
    expect((await get({ accept: 'text/html' })).status).toBe(406);
    for (const accept of ['*/*', 'text/html, application/json;q=0.5', 'application/*']) {
      expect((await get({ accept })).status).toBe(200);
    }
    const post = (type?: string) =>
      ask('POST', '/resource_providers', '{"name"', '1.39', ADMIN, type ? { 'content-type': type } : {});
    expect((await post('text/plain')).status).toBe(415);
    expect((await refused(() => post()))[2]).toContain('Malformed JSON');
  });

  it('in versions that are none', async () => {
    for (const [version, status, part] of [
      ['0.5', 406, 'Unacceptable version header: 0.5'],
      ['1.40', 406, 'Unacceptable version header: 1.40'],
      ['pony.horse', 400, 'invalid version string: pony.horse'],
      ['1.2.3', 400, 'invalid version string: 1.2.3'],
    ] as const) {
      const { status: got, body } = await ask('GET', '/resource_providers', undefined, version);
      expect([got, body.errors[0]?.detail]).toEqual([status, words(part)]);
    }
    const unacceptable = await ask('GET', '/', undefined, '7.0');
    expect(unacceptable.body.errors[0]).toMatchObject({ min_version: '1.0', max_version: '1.39' });
  });

  it('by methods that are none, saying which there are', async () => {
    const answer = await ask('DELETE', '/allocations');
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
    expect((await ask('DELETE', '/resource_providers')).headers['allow']).toBe('GET, POST');
    expect((await ask('DELETE', '/')).status).toBe(405);
    expect((await ask('GET', '/barnabas', undefined, '1.23')).body.errors[0]).toMatchObject({
      code: 'placement.undefined_code',
      status: 404,
    });
  });
});
