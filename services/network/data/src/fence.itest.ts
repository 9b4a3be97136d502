import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Failure, fail } from '#libs/kernel';
import { type Books, NOW, openBooks } from './books.fixture.js';
import { DirtyRepo } from './dirty.repo.js';
import { FenceRepo, type Pair, replay, storedFailure } from './fence.repo.js';
import { eventsOf } from './journal.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.scratch.drop());

describe('fences', () => {
  const fences = new FenceRepo();
  const call = (pair: Pair, name: string, reply: unknown) =>
    books.db.tx(async (tx) => {
      const standing = await fences.admit(tx, pair, name);
      if (standing.kind === 'same') return replay(standing.result);
      await fences.keep(tx, pair, name, { reply }, NOW);
      return reply;
    });

  it('refuse what was overtaken and repeat what was answered', async () => {
    const serverId = randomUUID();
    expect(await call({ serverId, fence: 5, seq: 1 }, 'ensure', 'made')).toBe('made');
    expect(await call({ serverId, fence: 5, seq: 1 }, 'ensure', 'again')).toBe('made');
    expect(await call({ serverId, fence: 5, seq: 2 }, 'release', 'gone')).toBe('gone');
    const refused = expect.objectContaining({ kind: 'fenced' });
    await expect(call({ serverId, fence: 5, seq: 1 }, 'ensure', 'zombie')).rejects.toThrow(refused);
    await expect(call({ serverId, fence: 4, seq: 9 }, 'ensure', 'zombie')).rejects.toThrow(refused);
    await expect(call({ serverId, fence: 5, seq: 2 }, 'ensure', 'other call')).rejects.toThrow(refused);
    expect(await call({ serverId, fence: 6, seq: 1 }, 'ensure', 'new life')).toBe('new life');
    expect(await fences.highest(books.db)).toBeGreaterThanOrEqual(6);
  });

  it('repeat a failure as it was', async () => {
    const pair = { serverId: randomUUID(), fence: 1, seq: 1 };
    await fences.keep(
      books.db,
      pair,
      'ensure',
      storedFailure(fail.conflict('taken', { type: 'IpAddressAlreadyAllocated' })),
      NOW,
    );
    const again = (await call(pair, 'ensure', 'x').catch((error: unknown) => error)) as Failure;
    expect(again).toMatchObject({ kind: 'conflict', type: 'IpAddressAlreadyAllocated', message: 'taken' });
  });

  it('let only one of two first calls through', async () => {
    const serverId = randomUUID();
    const results = await Promise.allSettled([
      call({ serverId, fence: 2, seq: 1 }, 'a', 'a'),
      call({ serverId, fence: 3, seq: 1 }, 'b', 'b'),
    ]);
    expect(results[1]?.status).toBe('fulfilled');
    await expect(call({ serverId, fence: 2, seq: 2 }, 'a', 'a')).rejects.toThrow();
  });
});

describe('marks', () => {
  it('are written with the change and outlive a change that comes while they are worked off', async () => {
    const dirty = new DirtyRepo(books.db);
    const network = await books.makeNetwork();
    const marks = (await dirty.due(NOW, 1000)).filter((mark) => mark.id === network.id);
    expect(marks).toHaveLength(1);
    await books.stores.networks.update(network.id, { name: 'changed meanwhile' }, NOW);
    await dirty.clear(marks);
    const left = await dirty.pendingOf(books.db, network.id);
    expect(left).toHaveLength(1);
    await dirty.clear(await dirty.due(NOW, 1000));
    expect(await dirty.pendingOf(books.db, network.id)).toEqual([]);
  });

  it('wait, with their reason, when they could not be applied; a new change makes them due', async () => {
    const dirty = new DirtyRepo(books.db);
    const network = await books.makeNetwork();
    const [mark] = (await dirty.due(NOW, 1000)).filter((due) => due.id === network.id);
    await dirty.postpone(mark!, 'refused', new Date(NOW.getTime() + 1000));
    expect((await dirty.due(NOW, 1000)).some((due) => due.id === network.id)).toBe(false);
    expect(await dirty.pendingOf(books.db, network.id)).toMatchObject([{ tries: 1, error: 'refused' }]);
    await books.stores.networks.update(network.id, { name: 'x' }, NOW);
    expect((await dirty.due(NOW, 1000)).find((due) => due.id === network.id)?.tries).toBe(0);
  });

  it('wake the listener, and a rolled back change wakes nobody', async () => {
    let woken = 0;
    const stop = await books.db.listen('network_ovn', () => {
      woken += 1;
    });
    await books.makeNetwork();
    expect(woken).toBe(1);
    await books.makeNetwork({ mtu: 5 }).catch(() => undefined);
    expect(woken).toBe(1);
    stop();
  });
});

describe('events', () => {
  it('tell what happened to a resource', async () => {
    const network = await books.makeNetwork();
    await books.stores.networks.update(network.id, { name: 'x' }, NOW);
    expect((await eventsOf(books.db, network.id)).map((event) => event.what)).toEqual([
      'network created',
      'network updated',
    ]);
  });
});
