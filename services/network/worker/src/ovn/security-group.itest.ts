/** Security groups and address groups from the books into OVN, also where somebody breaks them there and where they are large. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#libs/kernel';
import { openLog } from '#libs/platform/log';
import { OvsdbClient } from '#libs/platform/ovsdb';
import { type OvnDatabases, startOvnDatabases } from '#libs/testing';
import { addressSetIds, DEFAULT_LIMITS, portGroupName } from '#services/network/domain';
import { type Books, NOW, openBooks } from '../../../data/src/books.fixture.js';
import { type NbClient, NORTHBOUND } from './northbound.js';
import { Reconciler } from './reconciler.js';

let books: Books;
let ovn: OvnDatabases;
let client: NbClient;
let reconciler: Reconciler;
beforeAll(async () => {
  const limits = { ...DEFAULT_LIMITS, security_group: 100, security_group_rule: 2000 };
  [books, ovn] = await Promise.all([openBooks(limits), startOvnDatabases({ northd: true })]);
  client = new OvsdbClient({ remotes: ovn.nb, database: 'OVN_Northbound', tables: NORTHBOUND }).start();
  await client.synced(5000);
  reconciler = new Reconciler({
    books: books.repos,
    client,
    clock: systemClock,
    log: openLog('network', 'silent'),
    defaultDns: [],
    chassis: () => [],
    fullMs: 3_600_000,
  });
  await books.db.listen('network_ovn', () => reconciler.wake());
  reconciler.start();
});
afterAll(async () => {
  await reconciler.stop();
  client.close();
  ovn.stop();
  await books.scratch.drop();
});

const settled = () =>
  expect.poll(() => books.repos.dirty.pending(books.db), { timeout: 10_000, interval: 10 }).toEqual([]);
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 3000, interval: 10 });

describe('address groups in OVN', () => {
  it('are there before the rules that name them, follow their changes, and go with them', async () => {
    const addresses = await books.makeAddressGroup(['10.0.0.0/8', 'fd00::/8']);
    const group = await books.makeGroup();
    const rule = await books.addRule(group, { remoteAddressGroupId: addresses.id });
    await settled();
    const [v4, v6] = addressSetIds(addresses.id) as [string, string];
    const set = (id: string) => [...(client.replica.row('Address_Set', id)?.addresses ?? ['none'])];
    expect([set(v4), set(v6)]).toEqual([['10.0.0.0/8'], ['fd00::/8']]);
    await books.repos.addressGroupStore.removeAddresses(addresses.id, ['10.0.0.0/8', 'fd00::/8'], NOW);
    await books.repos.addressGroupStore.addAddresses(addresses.id, ['192.0.2.1/32'], NOW);
    await settled();
    expect([set(v4), set(v6)]).toEqual([['192.0.2.1/32'], []]);
    ovn.tool('ovn-nbctl', 'clear', 'Address_Set', v4, 'addresses');
    await soon(() => set(v4)).toEqual(['192.0.2.1/32']);
    ovn.tool('ovn-nbctl', 'destroy', 'Address_Set', v4);
    await soon(() => set(v4)).toEqual(['192.0.2.1/32']);
    await books.stores.groups.deleteRule(rule.id, NOW);
    await books.repos.addressGroupStore.delete(addresses.id, NOW);
    await settled();
    expect([set(v4), set(v6)]).toEqual([['none'], ['none']]);
  });

  it('that stand for nothing are removed, and those of others are left alone', async () => {
    const external_ids = new Map([
      ['yagura:kind', 'address_group'],
      ['yagura:owner', randomUUID()],
    ]);
    const [stray] = addressSetIds(external_ids.get('yagura:owner')!) as [string];
    ovn.tool('ovn-nbctl', 'create', 'Address_Set', 'name=foreign', 'addresses=192.0.2.9');
    await client.transact([
      client.ops.insert('Address_Set', stray, { name: 'stray', addresses: new Set(), external_ids }),
    ]);
    await soon(() => client.replica.row('Address_Set', stray)).toBeUndefined();
    reconciler.compareNow();
    await settled();
    expect(ovn.tool('ovn-nbctl', '--bare', '--columns=addresses', 'find', 'Address_Set', 'name=foreign')).toBe(
      '192.0.2.9\n',
    );
  });
});

describe('a group of 200 ports', () => {
  it('takes a rule as one row, in force in the southbound database within a second', async () => {
    const network = await books.makeNetwork();
    await books.makeSubnet(network.id, { cidr: '10.8.0.0/22' });
    const [group, other] = [await books.makeGroup(), await books.makeGroup()];
    for (let n = 0; n < 200; n++)
      await books.makePort(network.id, { groupIds: n % 2 ? [group.id, other.id] : [group.id] });
    await settled();
    ovn.tool('ovn-nbctl', '--wait=sb', 'sync');
    const name = portGroupName(group.id);
    const members = ovn.tool('ovn-sbctl', '--bare', '--columns=addresses', 'find', 'Address_Set', `name=${name}_ip4`);
    expect(members.trim().split(' ')).toHaveLength(200);
    const before = client.replica.table('ACL').size;
    const times: number[] = [];
    for (let n = 1; n <= 5; n++) {
      const began = performance.now();
      const rule = await books.addRule(group, { protocol: 'tcp', portMin: n, portMax: n, remoteGroupId: group.id });
      while (!client.replica.row('ACL', rule.id)) await new Promise((resolve) => setTimeout(resolve, 1));
      ovn.tool('ovn-nbctl', '--wait=sb', 'sync');
      times.push(performance.now() - began);
    }
    expect(client.replica.table('ACL').size).toBe(before + 5);
    expect(times.sort((a, b) => a - b)[2]).toBeLessThan(1000);
    await books.stores.groups.update(group.id, { name: 'renamed' }, NOW);
    await settled();
  }, 60_000);
});
