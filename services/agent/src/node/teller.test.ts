/** News for guests: fetched once for many wakes, after the job that is at work, and confirmed only when they are kept. */
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import { delay, fail } from '#libs/kernel';
import { Teller } from './teller.js';

const A = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';

function rig(power = 'running') {
  const done: string[] = [];
  const state = { news: 1, away: false, job: Promise.resolve() };
  const teller = new Teller({
    log: pino({ level: 'silent' }),
    idle: () => state.job,
    compute: {
      getSpec: async () => {
        if (state.away) throw fail.unavailable('away');
        return computeV1.ServerSpec.fromPartial({ serverId: A, news: state.news, power });
      },
      newsKept: async (_id, news) => void done.push(`kept ${news}`),
    },
    driver: { tell: async ({ news }) => void done.push(`tell ${news}`) },
  });
  return { teller, done, state };
}

it('waits for the job that is at work, and fetches once for many wakes', async () => {
  const { teller, done, state } = rig();
  const { promise, resolve } = Promise.withResolvers<void>();
  state.job = promise;
  for (let wake = 0; wake < 5; wake++) teller.refresh(A);
  await delay(5);
  expect(done).toEqual([]);
  state.news = 2;
  resolve();
  await teller.stop();
  expect(done).toEqual(['tell 2', 'kept 2']);
  teller.refresh(A);
  await teller.stop();
  expect(done).toEqual(['tell 2', 'kept 2', 'tell 2', 'kept 2']);
});

it('confirms nothing that it could not fetch, and can be woken again', async () => {
  const { teller, done, state } = rig();
  state.away = true;
  teller.refresh(A);
  await teller.stop();
  expect(done).toEqual([]);
  state.away = false;
  teller.refresh(A);
  await teller.stop();
  expect(done).toEqual(['tell 1', 'kept 1']);
});

it('says nothing of a server that shall be gone', async () => {
  const { teller, done } = rig('absent');
  teller.refresh(A);
  await teller.stop();
  expect(done).toEqual([]);
});
