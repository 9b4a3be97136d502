import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFailure } from '#libs/kernel';
import { type Books, NOW, openBooks } from './books.fixture.js';
import type { ListRequest } from './listing.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(async () => {
  expect(await books.imbalance()).toEqual([]);
  await books.scratch.drop();
});

const failure = (type: string, kind?: string) => expect.objectContaining(kind ? { type, kind } : { type });
const listing = (filters: Record<string, string[]>, more: Partial<ListRequest> = {}): ListRequest => ({
  filters: new Map(Object.entries(filters)),
  sorts: [],
  reverse: false,
  ...more,
});

describe('networks', () => {
  it('live with their metadata port and die with it and their subnets', async () => {
    const network = await books.makeNetwork();
    const subnet = await books.makeSubnet(network.id);
    const [metadata] = await books.repos.ports.metadataOf(books.db, [network.id]);
    expect(metadata).toMatchObject({
      projectId: '',
      deviceOwner: 'network:distributed',
      fixedIps: [{ subnetId: subnet.id, address: '10.0.0.2' }],
    });
    expect((await books.repos.networks.find(books.db, network.id))?.subnetIds).toEqual([subnet.id]);
    await books.stores.networks.delete(network.id, NOW);
    expect(await books.repos.networks.find(books.db, network.id)).toBeUndefined();
    expect(await books.repos.ports.find(books.db, metadata!.id)).toBeUndefined();
  });

  it('stay while a port stands on them', async () => {
    const network = await books.makeNetwork();
    const port = await books.makePort(network.id);
    await expect(books.stores.networks.delete(network.id, NOW)).rejects.toThrow(failure('NetworkInUse', 'conflict'));
    await books.stores.ports.delete(port.id, NOW);
    await books.stores.networks.delete(network.id, NOW);
  });

  it('never lose a port that is made while they are deleted', async () => {
    for (let round = 0; round < 10; round++) {
      const network = await books.makeNetwork();
      await books.makeSubnet(network.id);
      const draft = await books.draftPort(network.id);
      const [made, deleted] = await Promise.allSettled([
        books.stores.ports.create([draft], NOW),
        books.stores.networks.delete(network.id, NOW),
      ]);
      expect([made.status, deleted.status].sort()).toEqual(['fulfilled', 'rejected']);
      const lost = [made, deleted].find((result) => result.status === 'rejected');
      expect(isFailure(lost?.reason), String(lost?.reason)).toBe(true);
    }
  });

  it('are not unshared while others use them', async () => {
    const network = await books.makeNetwork({ shared: true });
    await books.makePort(network.id, { projectId: 'other' });
    await expect(books.stores.networks.update(network.id, { shared: false }, NOW)).rejects.toThrow(
      failure('InvalidSharedSetting'),
    );
    expect((await books.stores.networks.update(network.id, { name: 'renamed' }, NOW)).revision).toBe(2);
  });
});

describe('subnets', () => {
  it('never overlap on one network', async () => {
    const network = await books.makeNetwork();
    const wishes = ['10.1.0.0/24', '10.1.0.128/25', '10.1.0.0/16', '10.1.0.0/24'];
    const results = await Promise.allSettled(wishes.map((cidr) => books.makeSubnet(network.id, { cidr })));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toEqual(failure('InvalidInput', 'invalid'));
    const other = await books.makeNetwork();
    await books.makeSubnet(other.id, { cidr: '10.1.0.0/24' });
  });

  it('stay while a port has an address of theirs, but not for the metadata port', async () => {
    const network = await books.makeNetwork();
    const subnet = await books.makeSubnet(network.id);
    const port = await books.makePort(network.id);
    await expect(books.stores.subnets.delete(subnet.id, NOW)).rejects.toThrow(failure('SubnetInUse', 'conflict'));
    await books.stores.ports.delete(port.id, NOW);
    await books.stores.subnets.delete(subnet.id, NOW);
  });

  it('give and take the metadata address with DHCP', async () => {
    const network = await books.makeNetwork();
    const subnet = await books.makeSubnet(network.id, { dhcp: false });
    const metadataIps = async () => (await books.repos.ports.metadataOf(books.db, [network.id]))[0]?.fixedIps.length;
    expect(await metadataIps()).toBe(0);
    await books.stores.subnets.update(subnet.id, () => ({ dhcp: true }), NOW);
    expect(await metadataIps()).toBe(1);
    await books.stores.subnets.update(subnet.id, () => ({ dhcp: false, gateway: null }), NOW);
    expect(await metadataIps()).toBe(0);
    expect((await books.repos.subnets.find(books.db, subnet.id))?.gateway).toBeNull();
  });

  it('that are self-addressed give every port the address that its guest takes', async () => {
    const network = await books.makeNetwork();
    await books.makeSubnet(network.id);
    const before = await books.makePort(network.id, { mac: 'fa:16:3e:aa:00:01' });
    const slaac = await books.makeSubnet(network.id, {
      version: 6,
      cidr: '2001:db8::/64',
      addressMode: 'slaac',
      raMode: 'slaac',
    });
    const after = await books.makePort(network.id, { mac: 'fa:16:3e:aa:00:02' });
    const addresses = (await books.repos.ports.find(books.db, before.id))?.fixedIps.map((ip) => ip.address);
    expect(addresses).toEqual([expect.stringMatching(/^10\.0\.0\./), '2001:db8::f816:3eff:feaa:1']);
    expect(after.fixedIps.map((ip) => ip.address)).toContain('2001:db8::f816:3eff:feaa:2');
    await books.stores.subnets.delete(slaac.id, NOW);
    expect((await books.repos.ports.find(books.db, after.id))?.fixedIps).toHaveLength(1);
  });
});

describe('ports', () => {
  it('get addresses one after the other, those asked for, and their own again', async () => {
    const network = await books.makeNetwork();
    const subnet = await books.makeSubnet(network.id);
    const a = await books.makePort(network.id);
    const b = await books.makePort(network.id, { wishes: [{ address: '10.0.0.77' }] });
    expect(a.fixedIps).toEqual([{ subnetId: subnet.id, address: '10.0.0.3' }]);
    await expect(books.makePort(network.id, { wishes: [{ address: '10.0.0.77' }] })).rejects.toThrow(
      failure('IpAddressAlreadyAllocated', 'conflict'),
    );
    await expect(books.makePort(network.id, { mac: b.mac })).rejects.toThrow(failure('MacAddressInUse', 'conflict'));
    const moved = await books.stores.ports.update(
      b.id,
      [subnet],
      () => ({
        wishes: [
          { subnetId: subnet.id, address: '10.0.0.80' },
          { subnetId: subnet.id, address: '10.0.0.77' },
        ],
      }),
      NOW,
    );
    expect(moved.fixedIps.map((ip) => ip.address)).toEqual(['10.0.0.80', '10.0.0.77']);
    const found = await books.repos.ports.find(books.db, b.id);
    expect(found).toEqual(moved);
  });

  it('never share an address, and use a small subnet up to the last one', async () => {
    const network = await books.makeNetwork();
    await books.makeSubnet(network.id, { cidr: '10.2.0.0/27' });
    const results = await Promise.allSettled(Array.from({ length: 40 }, () => books.makePort(network.id)));
    const made = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value.fixedIps[0]?.address] : [],
    );
    expect(made).toHaveLength(28);
    expect(new Set(made).size).toBe(28);
    for (const result of results)
      if (result.status === 'rejected')
        expect(result.reason).toEqual(failure('IpAddressGenerationFailure', 'conflict'));
  });

  it('find the one free address of a large and nearly full subnet', async () => {
    const network = await books.makeNetwork();
    const subnet = await books.makeSubnet(network.id, { cidr: '10.4.0.0/18' });
    const holder = await books.makePort(network.id, { wishes: [] });
    await books.db.exec(
      `insert into ip_allocation (network_id, subnet_id, port_id, address, ordinal)
       select $1, $2, $3, '10.4.0.0'::inet + n, 0 from generate_series(2, 16382) n where n <> 12345 on conflict do nothing`,
      [network.id, subnet.id, holder.id],
    );
    const port = await books.makePort(network.id);
    expect(port.fixedIps[0]?.address).toBe('10.4.48.57');
    await expect(books.makePort(network.id)).rejects.toThrow(failure('IpAddressGenerationFailure'));
  });

  it('never exceed the quota, however many ask at once', async () => {
    const projectId = 'small';
    await books.db.tx((tx) => books.repos.quotas.setLimits(tx, projectId, { port: 7 }));
    const network = await books.makeNetwork({ projectId });
    await books.makeSubnet(network.id);
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => books.makePort(network.id, { projectId })),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(7);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toEqual(failure('OverQuota', 'overQuota'));
    expect((await books.repos.quotas.usage(books.db, projectId)).port).toEqual({ limit: 7, used: 7 });
    const { rows } = await books.repos.ports.list(books.db, listing({ network_id: [network.id] }), { projectId });
    await Promise.all(
      rows.filter((port) => port.projectId !== '').map((port) => books.stores.ports.delete(port.id, NOW)),
    );
    expect((await books.repos.quotas.usage(books.db, projectId)).port.used).toBe(0);
  });

  it('are seen by their own project and by the owner of their network', async () => {
    const network = await books.makeNetwork({ projectId: 'owner', shared: true });
    await books.makeSubnet(network.id);
    const mine = await books.makePort(network.id, { projectId: 'guest' });
    const ids = async (projectId: string) =>
      (await books.repos.ports.list(books.db, listing({ network_id: [network.id] }), { projectId })).rows.map(
        (port) => port.id,
      );
    expect(await ids('guest')).toEqual([mine.id]);
    expect(await ids('owner')).toHaveLength(2);
    expect(await ids('stranger')).toEqual([]);
  });
});

describe('lists', () => {
  it('filter, sort and page in both directions', async () => {
    const projectId = 'lister';
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await books.makeNetwork({ projectId, name, adminStateUp: name !== 'c' });
    const page = async (more: Partial<ListRequest>, filters: Record<string, string[]> = {}) => {
      const { rows, more: further } = await books.repos.networks.list(
        books.db,
        listing({ project_id: [projectId], ...filters }, more),
        { projectId },
      );
      return { names: rows.map((row) => row.name).join(''), further, rows };
    };
    expect((await page({ sorts: [{ field: 'name', direction: 'asc' }] }, { name: ['a', 'd'] })).names).toBe('ad');
    expect((await page({}, { admin_state_up: ['False'] })).names).toBe('c');
    expect((await page({}, { id: ['not-an-id'] })).names).toBe('');
    expect((await page({}, { 'router:external': ['True'] })).names).toBe('');
    const sorts = [{ field: 'name', direction: 'desc' as const }];
    const first = await page({ sorts, limit: 2 });
    expect(first).toMatchObject({ names: 'ed', further: true });
    const second = await page({ sorts, limit: 2, marker: first.rows[1]!.id });
    expect(second).toMatchObject({ names: 'cb', further: true });
    expect(await page({ sorts, limit: 2, marker: second.rows[1]!.id })).toMatchObject({ names: 'a', further: false });
    expect(await page({ sorts, limit: 2, marker: second.rows[0]!.id, reverse: true })).toMatchObject({
      names: 'ed',
      further: false,
    });
  });

  it('filter ports by address, subnet and group', async () => {
    const network = await books.makeNetwork({ projectId: 'filters' });
    const subnet = await books.makeSubnet(network.id, { cidr: '10.7.0.0/24' });
    const groupId = await books.stores.groups.ensureDefault('filters', NOW);
    const port = await books.makePort(network.id, {
      projectId: 'filters',
      wishes: [{ address: '10.7.0.99' }],
      groupIds: [groupId],
    });
    await books.makePort(network.id, { projectId: 'filters' });
    const ids = async (filters: Record<string, string[]>) =>
      (
        await books.repos.ports.list(books.db, listing({ device_owner: [''], ...filters }), { projectId: 'filters' })
      ).rows.map((row) => row.id);
    expect(await ids({ fixed_ips: ['ip_address=10.7.0.99'] })).toEqual([port.id]);
    expect(await ids({ fixed_ips: ['ip_address_substr=7.0.9'] })).toEqual([port.id]);
    expect(await ids({ fixed_ips: [`subnet_id=${subnet.id}`] })).toHaveLength(2);
    expect(await ids({ fixed_ips: [`subnet_id=${subnet.id}`, 'ip_address=10.7.0.99'] })).toEqual([port.id]);
    expect(await ids({ fixed_ips: ['nonsense'] })).toEqual([]);
    expect(await ids({ security_groups: [groupId] })).toEqual([port.id]);
    expect(await ids({ mac_address: [port.mac.toUpperCase()] })).toEqual([port.id]);
  });
});
