import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delay } from '#libs/kernel';
import { DEFAULT_LIMITS, PARENT, type RuleWish, type SecurityGroup, shapeRule } from '#services/network/domain';
import { type Books, NOW, openBooks } from './books.fixture.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks({ ...DEFAULT_LIMITS, security_group: 100, security_group_rule: 2000 });
});
afterAll(async () => {
  expect(await books.imbalance()).toEqual([]);
  // PostgreSQL tells what it counted a second later.
  await delay(1_500);
  const counted = 'select deadlocks from pg_stat_database where datname = current_database()';
  expect(await books.db.one(counted)).toEqual({ deadlocks: 0 });
  await books.scratch.drop();
});

const failure = (type: string, kind?: string) => expect.objectContaining(kind ? { type, kind } : { type });
const draft = (group: SecurityGroup, wish: Partial<RuleWish>) => ({
  ...shapeRule({ direction: 'ingress', ...wish }),
  id: randomUUID(),
  groupId: group.id,
  projectId: group.projectId,
  description: '',
  ofDefaultGroup: false,
});
const port = (n: number): Partial<RuleWish> => ({ protocol: 'tcp', portMin: n, portMax: n });

describe('security groups', () => {
  it('begin with one default group, however many ask at once', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => books.stores.groups.ensureDefault('fresh', NOW)));
    expect(new Set(ids).size).toBe(1);
    const group = await books.repos.groups.find(books.db, ids[0]!);
    expect(group?.rules).toHaveLength(4);
    expect(group?.rules.filter((rule) => rule.remoteGroupId === group.id)).toHaveLength(2);
    expect(group?.rules.every((rule) => rule.ofDefaultGroup)).toBe(true);
  });

  it('hold a rule once, however it is written', async () => {
    const group = await books.makeGroup();
    expect(group.rules).toHaveLength(2);
    const add = (protocol: string, remotePrefix: string) =>
      books.addRule(group, { protocol, portMin: 80, portMax: 80, remotePrefix });
    const first = await add('tcp', '10.0.0.0/8');
    await expect(add('6', '10.9.9.9/8')).rejects.toThrow(failure('SecurityGroupRuleExists', 'conflict'));
    await expect(add('6', '10.9.9.9/8')).rejects.toThrow(first.id);
    await books.stores.groups.deleteRule(first.id, NOW);
    await add('6', '10.9.9.9/8');
    expect((await books.repos.groups.find(books.db, group.id))?.revision).toBe(4);
    const everywhere = await books.addRule(group, {});
    await expect(books.addRule(group, { remotePrefix: '0.0.0.0/0' })).rejects.toThrow(everywhere.id);
    await expect(books.stores.groups.addRules([draft(group, port(1)), draft(group, port(1))], NOW)).rejects.toThrow(
      failure('DuplicateSecurityGroupRuleInPost', 'conflict'),
    );
  });

  it('stay while a port is in them, and take rules of others with them', async () => {
    const [a, b] = [await books.makeGroup(), await books.makeGroup()];
    await books.addRule(b, { remoteGroupId: a.id });
    const network = await books.makeNetwork();
    const made = await books.makePort(network.id, { groupIds: [a.id] });
    await expect(books.stores.groups.delete(a.id, NOW)).rejects.toThrow(failure('SecurityGroupInUse', 'conflict'));
    await expect(books.stores.groups.update(a.id, { stateful: false }, NOW)).rejects.toThrow(
      failure('SecurityGroupInUse'),
    );
    await books.stores.ports.update(made.id, [], () => ({ groupIds: [b.id] }), NOW);
    await books.stores.groups.update(a.id, { stateful: false }, NOW);
    await books.stores.groups.delete(a.id, NOW);
    expect((await books.repos.groups.find(books.db, b.id))?.rules).toHaveLength(2);
    await expect(books.makePort(network.id, { groupIds: [a.id] })).rejects.toThrow(
      failure('SecurityGroupNotFound', 'notFound'),
    );
    await expect(books.addRule(b, { remoteGroupId: a.id })).rejects.toThrow(
      failure('SecurityGroupNotFound', 'notFound'),
    );
    await expect(books.addRule(a, {})).rejects.toThrow(failure('SecurityGroupNotFound', 'notFound'));
  });

  it('count rules against the quota', async () => {
    const limited = await openBooks({ ...DEFAULT_LIMITS, security_group: 2, security_group_rule: 7 });
    const make = () => limited.makeGroup({ projectId: 'q' });
    await limited.stores.groups.ensureDefault('q', NOW);
    const group = await make();
    await expect(make()).rejects.toThrow(failure('OverQuota', 'overQuota'));
    await limited.addRule(group, port(1));
    await expect(limited.addRule(group, port(2))).rejects.toThrow(failure('OverQuota', 'overQuota'));
    expect(await limited.imbalance()).toEqual([]);
    await limited.scratch.drop();
  });

  it('give 20 that ask at once what the quota has left, no more and no less', async () => {
    const limited = await openBooks({ ...DEFAULT_LIMITS, security_group: 8, security_group_rule: 4 + 14 + 9 });
    await limited.stores.groups.ensureDefault('q', NOW);
    const twenty = <T>(make: (n: number) => Promise<T>) =>
      Promise.allSettled(Array.from({ length: 20 }, (_, n) => make(n)));
    const refusals = (outcomes: readonly PromiseSettledResult<unknown>[]) =>
      outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    const groups = await twenty(() => limited.makeGroup({ projectId: 'q' }));
    expect(refusals(groups)).toEqual(Array.from({ length: 13 }, () => failure('OverQuota', 'overQuota')));
    const [group] = groups.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const rules = await twenty((n) => limited.addRule(group!, port(n + 1)));
    expect(refusals(rules)).toEqual(Array.from({ length: 11 }, () => failure('OverQuota', 'overQuota')));
    expect(await limited.imbalance()).toEqual([]);
    await limited.scratch.drop();
  });
});

describe('rules that are made at once', () => {
  it('all come to stand in their group, and each counts', async () => {
    const group = await books.makeGroup();
    await Promise.all(Array.from({ length: 50 }, (_, n) => books.addRule(group, port(n + 1))));
    const after = await books.repos.groups.find(books.db, group.id);
    expect(after?.rules).toHaveLength(52);
    expect(after?.revision).toBe(51);
  });

  it('stand once where they are the same, and every refusal names the one that stands', async () => {
    const group = await books.makeGroup();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => books.addRule(group, port(80))));
    const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.id] : []));
    expect(made).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason.message).toContain(made[0]);
  });

  it('never fail each other across groups whose rules name each other, while others are deleted', async () => {
    const groups = await Promise.all([1, 2, 3, 4].map(() => books.makeGroup()));
    const work = Array.from({ length: 60 }, async (_, n) => {
      const [own, other] = [groups[n % 4]!, groups[(n + 1 + (n % 3)) % 4]!];
      const rule = await books.addRule(own, { ...port(1000 + n), remoteGroupId: other.id });
      if (n % 2 === 0) await books.stores.groups.deleteRule(rule.id, NOW);
    });
    await Promise.all(work);
    const left = await books.repos.groups.findMany(
      books.db,
      groups.map((group) => group.id),
    );
    expect(left.flatMap((group) => group.rules)).toHaveLength(4 * 2 + 30);
  });

  it('in bulk wait for those of another call that brings the same in another order', async () => {
    const group = await books.makeGroup();
    const bulk = (order: readonly number[]) =>
      books.stores.groups.addRules(
        order.map((n) => draft(group, port(n))),
        NOW,
      );
    const ports = Array.from({ length: 30 }, (_, n) => n + 1);
    const outcomes = await Promise.allSettled([bulk(ports), bulk(ports.toReversed()), bulk(ports)]);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toEqual(failure('SecurityGroupRuleExists'));
  });

  it('go with their groups, also where these name each other and go at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const groups = await Promise.all([1, 2, 3, 4].map(() => books.makeGroup()));
      for (const own of groups) for (const other of groups) await books.addRule(own, { remoteGroupId: other.id });
      await Promise.all(groups.map((group) => books.stores.groups.delete(group.id, NOW)));
    }
    expect(await books.imbalance()).toEqual([]);
  });
});

describe('address groups', () => {
  it('hold addresses, and stay while a rule names them', async () => {
    const { addressGroupStore: store, addressGroups } = books.repos;
    const made = await books.makeAddressGroup(['10.0.0.0/8', 'fd00::/8']);
    expect(made).toMatchObject({ addresses: ['10.0.0.0/8', 'fd00::/8'], revision: 1 });
    const added = await store.addAddresses(made.id, ['192.0.2.1/32'], NOW);
    expect(added).toMatchObject({ addresses: ['10.0.0.0/8', '192.0.2.1/32', 'fd00::/8'], revision: 2 });
    await expect(store.addAddresses(made.id, ['10.0.0.0/8'], NOW)).rejects.toThrow(failure('AddressesAlreadyExist'));
    await expect(store.removeAddresses(made.id, ['11.0.0.0/8'], NOW)).rejects.toThrow(failure('AddressesNotFound'));
    await expect(store.addAddresses(made.id, ['11.0.0.0/8'], NOW, 1)).rejects.toThrow(
      failure('RevisionNumberConstraintFailed'),
    );
    const group = await books.makeGroup();
    const rule = await books.addRule(group, { remoteAddressGroupId: made.id });
    await expect(store.delete(made.id, NOW)).rejects.toThrow(failure('AddressGroupInUse', 'conflict'));
    await books.stores.groups.deleteRule(rule.id, NOW);
    await store.delete(made.id, NOW);
    expect(await addressGroups.find(books.db, made.id)).toBeUndefined();
    await expect(books.addRule(group, { remoteAddressGroupId: made.id })).rejects.toThrow(
      failure('AddressGroupNotFound', 'notFound'),
    );
  });

  it('take addresses of many at once, each once', async () => {
    const made = await books.makeAddressGroup([]);
    const { addressGroupStore: store } = books.repos;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => store.addAddresses(made.id, [`10.0.0.${n % 10}/32`], NOW)),
    );
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(10);
    expect((await books.repos.addressGroups.find(books.db, made.id))?.addresses).toHaveLength(10);
  });
});

describe('what new groups begin with', () => {
  it('is what the templates say at that time', async () => {
    const other = await openBooks();
    const { defaultRuleStore: store, defaultRules } = other.repos;
    const template = (wish: Partial<RuleWish>, inDefault: boolean, inOthers: boolean) =>
      store.create(
        { ...shapeRule({ direction: 'ingress', ...wish }), id: randomUUID(), description: '', inDefault, inOthers },
        NOW,
      );
    const ssh = await template(port(22), false, true);
    await expect(template(port(22), true, true)).rejects.toThrow(failure('DefaultSecurityGroupRuleExists', 'conflict'));
    await expect(template(port(22), true, true)).rejects.toThrow(ssh.id);
    await template(port(22), true, false);
    await expect(template({ remoteGroupId: PARENT }, true, false)).rejects.toThrow(
      failure('DefaultSecurityGroupRuleExists'),
    );
    expect((await other.makeGroup()).rules).toHaveLength(3);
    await store.delete(ssh.id, NOW);
    await expect(store.delete(ssh.id, NOW)).rejects.toThrow(failure('DefaultSecurityGroupRuleNotFound', 'notFound'));
    expect((await other.makeGroup()).rules).toHaveLength(2);
    const born = await other.repos.groups.find(other.db, await other.stores.groups.ensureDefault('p2', NOW));
    expect(born?.rules).toHaveLength(5);
    for (const known of await defaultRules.all(other.db)) await store.delete(known.id, NOW);
    expect((await other.makeGroup()).rules).toEqual([]);
    expect(await other.imbalance()).toEqual([]);
    await other.scratch.drop();
  });
});
