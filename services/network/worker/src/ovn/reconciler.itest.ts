import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#libs/kernel';
import { openLog } from '#libs/platform/log';
import { OvsdbClient } from '#libs/platform/ovsdb';
import { type OvnDatabases, startOvnDatabases } from '#libs/testing';
import { GUARD_ID } from '#services/network/domain';
import { type Books, NOW, openBooks } from '../../../data/src/books.fixture.js';
import { type NbClient, NORTHBOUND } from './northbound.js';
import { PortStatus } from './port-status.js';
import { Reconciler } from './reconciler.js';

let books: Books;
let ovn: OvnDatabases;
let client: NbClient;
let reconciler: Reconciler;
let status: PortStatus;
const drifts: number[] = [];
const log = openLog('network', 'silent');

const newClient = (): NbClient =>
  new OvsdbClient({
    remotes: ovn.nb,
    database: 'OVN_Northbound',
    tables: NORTHBOUND,
    backoffMs: [10, 50] as const,
  }).start();
const newReconciler = (nb: NbClient): Reconciler =>
  new Reconciler({
    books: books.repos,
    client: nb,
    clock: systemClock,
    log,
    defaultDns: ['9.9.9.9'],
    chassis: () => [],
    fullMs: 3_600_000,
    onDrift: (n) => drifts.push(n),
  });

beforeAll(async () => {
  [books, ovn] = await Promise.all([openBooks(), startOvnDatabases({ northd: true })]);
  client = newClient();
  await client.synced(5000);
  reconciler = newReconciler(client);
  status = new PortStatus(books.repos, client, systemClock, log);
  await books.db.listen('network_ovn', () => reconciler.wake());
  reconciler.start();
  status.start();
});
afterAll(async () => {
  await reconciler.stop();
  await status.stop();
  client.close();
  ovn.stop();
  await books.scratch.drop();
});

const pending = async () => (await books.repos.dirty.pending(books.db)).map((mark) => `${mark.kind} ${mark.error}`);
const settled = () => expect.poll(pending, { timeout: 8000, interval: 20 }).toEqual([]);
const nb = (...parameters: string[]) => ovn.tool('ovn-nbctl', ...parameters);

describe('the reconciler', () => {
  it('brings what clients make into OVN', async () => {
    const network = await books.makeNetwork();
    await books.makeSubnet(network.id);
    const groupId = await books.stores.groups.ensureDefault('p1', NOW);
    const port = await books.makePort(network.id, { groupIds: [groupId], host: 'node-1', hostname: 'web' });
    await settled();
    const row = client.replica.row('Logical_Switch_Port', port.id);
    expect([...(row?.addresses ?? [])]).toEqual([`${port.mac} ${port.fixedIps[0]?.address}`]);
    expect(row?.options.get('requested-chassis')).toBe('node-1');
    expect([...client.replica.row('Port_Group', groupId)!.ports]).toEqual([port.id]);
    expect(client.replica.row('Port_Group', GUARD_ID)?.ports.has(port.id)).toBe(true);
    expect(client.replica.row('Logical_Switch', network.id)?.ports.size).toBe(2);
    expect(ovn.tool('ovn-nbctl', '--wait=sb', 'show')).toContain(port.id);
  });

  it('is done within moments of the commit', async () => {
    const network = await books.makeNetwork();
    await books.makeSubnet(network.id);
    await settled();
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const began = performance.now();
      const port = await books.makePort(network.id);
      const made = performance.now();
      while (!client.replica.row('Logical_Switch_Port', port.id))
        await new Promise((resolve) => setTimeout(resolve, 1));
      times.push(performance.now() - made);
      expect(made - began).toBeLessThan(1000);
    }
    times.sort((a, b) => a - b);
    expect(times[10]).toBeLessThan(250);
  });

  it('follows changes and removals', async () => {
    const network = await books.makeNetwork();
    const subnet = await books.makeSubnet(network.id);
    const group = await books.makeGroup();
    const port = await books.makePort(network.id, { groupIds: [group.id] });
    const rule = await books.addRule(group, { protocol: 'tcp', portMin: 22, portMax: 22 });
    await settled();
    expect(client.replica.row('ACL', rule.id)?.match).toContain('tcp.dst == 22');
    await books.stores.groups.deleteRule(rule.id, NOW);
    await books.stores.ports.update(port.id, [subnet], () => ({ groupIds: [], adminStateUp: false }), NOW);
    await settled();
    expect(client.replica.row('ACL', rule.id)).toBeUndefined();
    expect(client.replica.row('Logical_Switch_Port', port.id)?.enabled).toBe(false);
    expect(client.replica.row('Port_Group', group.id)?.ports.size).toBe(0);
    await books.stores.ports.delete(port.id, NOW);
    await books.stores.groups.delete(group.id, NOW);
    await books.stores.networks.delete(network.id, NOW);
    await settled();
    for (const [table, id] of [
      ['Logical_Switch', network.id],
      ['DHCP_Options', subnet.id],
      ['Port_Group', group.id],
      ['Logical_Switch_Port', port.id],
    ] as const) {
      expect(client.replica.row(table, id), table).toBeUndefined();
    }
  });

  it('repairs drift, removes strays of its own, and leaves the rows of others alone', async () => {
    const network = await books.makeNetwork();
    await books.makeSubnet(network.id);
    const port = await books.makePort(network.id);
    await settled();
    nb('ls-add', 'foreign', '--', 'lsp-add', 'foreign', 'foreign-port');
    nb('lsp-set-addresses', port.id, 'unknown');
    await expect
      .poll(() => [...client.replica.row('Logical_Switch_Port', port.id)!.addresses][0], { timeout: 2000 })
      .toContain(port.mac);
    nb('lsp-del', port.id);
    await expect.poll(() => client.replica.row('Logical_Switch_Port', port.id), { timeout: 2000 }).toBeDefined();
    nb('pg-set-ports', 'pg_guard', 'foreign-port');
    await expect
      .poll(() => client.replica.row('Port_Group', GUARD_ID)?.ports.has(port.id), { timeout: 2000 })
      .toBe(true);
    nb('acl-add', 'pg_guard', 'to-lport', '1', 'ip4.src == 192.0.2.1', 'drop');
    const stray = randomUUID();
    await client.transact([
      client.ops.insert('DHCP_Options', stray, {
        cidr: '10.0.0.0/24',
        external_ids: new Map([['yagura:kind', 'subnet']]),
      }),
    ]);
    await expect.poll(() => client.replica.row('DHCP_Options', stray), { timeout: 2000 }).toBeUndefined();
    await settled();
    expect(nb('acl-list', 'pg_guard')).toContain('192.0.2.1');
    expect(nb('ls-list')).toContain('foreign');
    // What was repaired was repaired at once: a full comparison finds nothing left to do.
    drifts.length = 0;
    reconciler.compareNow();
    await expect.poll(() => drifts.at(-1), { timeout: 8000 }).toBe(0);
    expect(drifts.length).toBeLessThanOrEqual(2);
  });

  it('brings back what others change under its hands', async () => {
    const network = await books.makeNetwork();
    await books.makeSubnet(network.id);
    await settled();
    const transact = client.transact.bind(client);
    const written = Promise.withResolvers<void>();
    const spy = vi.spyOn(client, 'transact').mockImplementationOnce(async (operations) => {
      const answer = await transact(operations);
      written.resolve();
      nb('lsp-set-addresses', port.id, 'unknown');
      await expect.poll(() => [...client.replica.row('Logical_Switch_Port', port.id)!.addresses]).toEqual(['unknown']);
      return answer;
    });
    const port = await books.makePort(network.id);
    await written.promise;
    await expect
      .poll(() => [...client.replica.row('Logical_Switch_Port', port.id)!.addresses][0], { timeout: 4000 })
      .toContain(port.mac);
    spy.mockRestore();
    await settled();
  });

  it('sets a refused resource apart and goes on with the others', async () => {
    const bad = await books.makeNetwork();
    const other = await books.makeNetwork();
    await settled();
    const id = randomUUID();
    nb('ls-add', 'squatter', '--', 'lsp-add', 'squatter', id);
    const [made] = await Promise.all([
      books.makePort(bad.id, { id }),
      books.makePort(other.id),
      books.makePort(other.id),
    ]);
    await expect.poll(pending, { timeout: 8000 }).toEqual([expect.stringMatching(/^port .*constraint violation/)]);
    nb('lsp-del', id);
    await settled();
    expect(client.replica.row('Logical_Switch_Port', made.id)?.name).toBe(id);
  });

  it('goes on where it was after the database was away', async () => {
    const network = await books.makeNetwork();
    await settled();
    const restart = ovn.restartNb();
    const ports = [];
    for (let i = 0; i < 5; i++) ports.push(await books.makePort(network.id));
    await restart;
    await settled();
    for (const port of ports) expect(client.replica.row('Logical_Switch_Port', port.id)).toBeDefined();
  });

  it('makes all of it anew in a database that lost everything', async () => {
    const network = await books.makeNetwork();
    const port = await books.makePort(network.id);
    await settled();
    await ovn.restartNb({ empty: true });
    await expect
      .poll(() => client.state === 'synced' && client.replica.row('Logical_Switch_Port', port.id)?.name, {
        timeout: 5000,
      })
      .toBe(port.id);
    expect(client.replica.row('Port_Group', GUARD_ID)?.ports.has(port.id)).toBe(true);
  });

  it('writes nothing any more once another has taken over', async () => {
    const network = await books.makeNetwork();
    await settled();
    await reconciler.stop();
    const second = newClient();
    const next = newReconciler(second);
    next.start();
    await expect.poll(() => drifts.length, { timeout: 8000 }).toBeGreaterThan(2);
    await next.stop();
    const port = await books.makePort(network.id);
    const stalled = new Reconciler({
      books: books.repos,
      client,
      clock: systemClock,
      log,
      defaultDns: [],
      chassis: () => [],
      fullMs: 3_600_000,
    });
    Object.assign(stalled, { number: 1, nextFull: Number.MAX_SAFE_INTEGER });
    stalled.start();
    await expect.poll(() => stalled.problem, { timeout: 5000 }).toBe('another reconciler has taken over');
    await stalled.stop();
    expect(client.replica.row('Logical_Switch_Port', port.id)).toBeUndefined();
    reconciler = newReconciler(client);
    reconciler.start();
    await settled();
    second.close();
  });

  it('knows from OVN which ports are up', async () => {
    const network = await books.makeNetwork();
    const port = await books.makePort(network.id, { host: 'node-1' });
    await settled();
    const state = async () => (await books.repos.ports.find(books.db, port.id))?.status;
    expect(await state()).toBe('DOWN');
    ovn.tool('ovn-sbctl', '--may-exist', 'chassis-add', 'node-1', 'geneve', '127.0.0.1');
    await expect.poll(() => ovn.tool('ovn-sbctl', 'find', 'Port_Binding', `logical_port=${port.id}`)).not.toBe('');
    const setUp = (up: boolean) => {
      ovn.tool('ovn-sbctl', ...(up ? ['--may-exist', 'lsp-bind', port.id, 'node-1'] : ['lsp-unbind', port.id]));
      ovn.tool('ovn-sbctl', 'set', 'Port_Binding', port.id, `up=${up}`);
    };
    setUp(true);
    await expect.poll(state).toBe('ACTIVE');
    setUp(false);
    await expect.poll(state).toBe('DOWN');
  });
});
