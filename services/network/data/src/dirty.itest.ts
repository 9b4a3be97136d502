import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Books, NOW, openBooks } from './books.fixture.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.scratch.drop());

it('keeps a mark that was set again while it was in work', async () => {
  const { dirty } = books.repos;
  const { id } = await books.makeNetwork();
  const read = await dirty.due(NOW, 100);
  expect(read.map((mark) => mark.id)).toContain(id);
  await dirty.mark('network', [id], NOW);
  await dirty.clear(read);
  expect(await dirty.pendingOf(books.db, id)).toMatchObject([{ kind: 'network', id }]);
  await dirty.clear(await dirty.due(NOW, 100));
  expect(await dirty.pending(books.db)).toEqual([]);
});

it('leaves what was set apart to its time when it is found to differ', async () => {
  const { dirty } = books.repos;
  const { id } = await books.makeNetwork();
  const [read] = (await dirty.due(NOW, 100)).filter((mark) => mark.id === id);
  await dirty.postpone(read!, 'refused', new Date(NOW.getTime() + 60_000));
  await dirty.mark('network', [id], NOW);
  expect((await dirty.due(NOW, 100)).map((mark) => mark.id)).not.toContain(id);
  expect(await dirty.pendingOf(books.db, id)).toMatchObject([{ tries: 1, error: 'refused' }]);
});
