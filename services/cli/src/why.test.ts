import { expect, it } from 'vitest';
import type { operatorV1 } from '#libs/contract';
import { duration, table } from './table.js';
import { details, timeline, verdict } from './why.js';

const event = (atMs: number, outcome: string, more: Partial<operatorV1.TraceEvent> = {}): operatorV1.TraceEvent => ({
  atMs,
  service: 'compute',
  node: '',
  what: 'server.create: boot',
  outcome,
  detail: '',
  requestId: '',
  taskId: 't',
  relatedIds: [],
  ...more,
});

it('merges what several services and ids told into one timeline', () => {
  const events = timeline([event(3, 'ok'), event(1, 'ok'), event(3, 'ok'), event(2, 'failed')]);
  expect(events.map((e) => e.atMs)).toEqual([1, 2, 3]);
});

it('answers with the last failure, else with what is awaited, else that nothing failed', () => {
  expect(verdict([event(1, 'failed', { node: 'node-1', detail: 'no space' }), event(2, 'undone')])).toBe(
    'compute on node-1: server.create: boot failed: no space',
  );
  expect(verdict([event(1, 'ok'), event(2, 'waiting', { detail: 'for the node' })])).toBe(
    'still at work: server.create: boot for the node',
  );
  expect(verdict([event(1, 'ok')])).toBe('nothing failed');
});

it('puts what each node said below the timeline, and the counts into the answer', () => {
  const detail = '1 node lacks 512 MB of memory\nnode-1: needs 2048 MB of memory, 1536 MB free';
  const refused = event(0, 'failed', { service: 'placement', what: 'claim', detail });
  expect(verdict([refused])).toBe('placement: claim failed: 1 node lacks 512 MB of memory');
  expect(details([event(0, 'ok'), refused])).toBe(
    '\nplacement: claim failed at 1970-01-01T00:00:00.000Z\n  node-1: needs 2048 MB of memory, 1536 MB free\n',
  );
  const long = { detail: ['head', ...Array.from({ length: 40 }, (_, i) => `n${i}`)].join('\n') };
  expect(details([event(0, 'failed', long)])).toMatch(/n29\n {2}and 10 more\n$/);
});

it('prints columns that line up and durations that read', () => {
  expect(table(['A', 'B'], [['long', 'x']])).toBe('A     B\nlong  x\n');
  expect([duration(0), duration(61_000), duration(90_061_000)]).toEqual(['0s', '1m 1s', '1d 1h']);
});
