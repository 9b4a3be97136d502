import { expect, it } from 'vitest';
import { Joined } from './joined.js';

/** Work that ends when it is told to. */
function held() {
  const ends: { resolve(): void; reject(error: Error): void }[] = [];
  const joined = new Joined(() => new Promise((resolve, reject) => ends.push({ resolve, reject })));
  return { joined, ends };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('serves all who ask while it runs by one further run, begun after they asked', async () => {
  const { joined, ends } = held();
  const done: string[] = [];
  const ask = (name: string) => joined.run().then(() => done.push(name));
  const all = [ask('first'), ask('second'), ask('third')];
  expect(ends).toHaveLength(1);
  ends[0]!.resolve();
  await settle();
  expect(done).toEqual(['first']);
  expect(ends).toHaveLength(2);
  all.push(ask('fourth'));
  ends[1]!.resolve();
  await settle();
  expect(done).toEqual(['first', 'second', 'third']);
  ends[2]!.resolve();
  await Promise.all(all);
  expect(ends).toHaveLength(3);
});

it('fails those alone whose run failed', async () => {
  const { joined, ends } = held();
  const first = joined.run().catch((error: Error) => error.message);
  const second = joined.run().then(() => 'well');
  ends[0]!.reject(new Error('away'));
  expect(await first).toBe('away');
  await settle();
  ends[1]!.resolve();
  expect(await second).toBe('well');
});
