/** What network tells of servers, and that a port on which somebody wrote a server's id is not the server's. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Testbed } from '../testbed/testbed.fixture.js';
import { serversService } from './servers.grpc.js';

let bed: Testbed;
beforeEach(async () => {
  bed = await Testbed.open();
});
afterEach(() => bed.close());

const peer = { name: 'network', requestId: '' };

it('reads the ports anew and keeps only the own ones', async () => {
  await bed.node('node-1');
  await bed.run();
  const id = await bed.active();
  const before = (await bed.server(id))!;
  const { db, servers, network } = bed;
  const [own] = (await network.listForServers({ serverIds: [id] })).servers[0]!.ports;
  const told = { ports: [own!] };
  const answering = {
    ...{ ensureForServer: network.ensureForServer, bind: network.bind, releaseForServer: network.releaseForServer },
    listForServers: async () => ({ servers: [{ serverId: id, ports: told.ports }] }),
  };
  const service = serversService({
    db,
    servers,
    network: answering as never,
    aims: bed.repos.aims,
    now: () => bed.now(),
  });
  const tell = (serverIds: string[]) => service.networkChanged({ serverIds }, peer);

  await tell([id, 'no server', '00000000-0000-4000-8000-000000000000']);
  expect((await bed.server(id))!.updatedAt).toEqual(before.updatedAt);

  told.ports = [
    { ...own!, mac: 'fa:16:3e:00:00:99' },
    { ...own!, id: '00000000-0000-4000-8000-00000000000b' },
  ];
  await tell([id]);
  const after = (await bed.server(id))!;
  expect(after.addresses.map(({ portId, mac }) => [portId, mac])).toEqual([[own!.id, 'fa:16:3e:00:00:99']]);
  expect(after).toMatchObject({ vmState: 'active', taskState: null });

  told.ports = [];
  await tell([id]);
  expect((await bed.server(id))!.addresses).toEqual([]);
});

it('has the node fetch what the guest is told, also where the wake was lost', async () => {
  const node = await bed.node('node-1');
  await bed.news.start();
  await bed.run();
  const id = await bed.active();
  const { db, servers, network } = bed;
  const { aims } = bed.repos;
  const service = serversService({ db, servers, network, aims, now: () => bed.now() });
  const toldNews = () => node.held.get(id)?.told?.news;
  const acts = node.acts.length;
  expect(toldNews()).toBe(0);
  await service.networkChanged({ serverIds: [id] }, peer);
  await bed.until(() => toldNews() === 1);
  await bed.until(async () => (await aims.stale(db, 10)).length === 0);

  // A wake that was sent twice would still fetch what comes next.
  bed.losesCommands = () => true;
  await bed.news.scan();
  await node.idle();
  await service.networkChanged({ serverIds: [id] }, peer);
  await bed.until(async () => (await aims.find(db, id, 'node-1'))?.news === 2);
  expect(await aims.stale(db, 10)).toEqual([{ serverId: id, node: 'node-1' }]);
  bed.losesCommands = () => false;
  await bed.news.scan();
  await bed.until(() => toldNews() === 2);
  await bed.until(async () => (await aims.stale(db, 10)).length === 0);

  await aims.newsKept(db, id, 'node-1', 99);
  await service.networkChanged({ serverIds: [id] }, peer);
  await bed.until(() => toldNews() === 3);
  expect(node.acts).toHaveLength(acts);
  await bed.news.stop();
});

it('keeps the first password that a guest posts, until its owner clears it, sealed', async () => {
  const node = await bed.node('node-1');
  await bed.news.start();
  await bed.run();
  const id = await bed.active();
  const { db, passwords } = bed;
  const post = (password: string, name = 'node-1') =>
    bed.service.postPassword({ serverId: id, node: '', password }, { name, requestId: '' });
  await expect(post('x', 'node-2')).rejects.toMatchObject({ kind: 'notFound' });
  await expect(post('x'.repeat(1_021))).rejects.toMatchObject({ kind: 'invalid' });
  const both = await Promise.allSettled([post('one'), post('two')]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const first = await passwords.find(db, id);
  expect(['one', 'two']).toContain(first);
  await bed.until(() => node.held.get(id)?.told?.guestPassword === first);
  const row = await db.one<{ password: Buffer }>('select password from server_password where server_id = $1', [id]);
  expect(row!.password.includes(first)).toBe(false);
  await expect(post('three')).rejects.toMatchObject({ kind: 'conflict' });
  await passwords.clear(db, id);
  await post('four');
  await bed.delete(id);
  await bed.settled(id);
  expect(await db.query('select 1 from server_password')).toEqual([]);
  await bed.news.stop();
});
