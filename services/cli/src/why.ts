/**
 * `yagura why ID`: every service is asked for what it did about an id; ids that turn up on the way (the ports of a
 * server, the server of a request) are followed one step further. The last failure stands below as the answer.
 */
import type { operatorV1 } from '#libs/contract';
import type { Cloud } from './cloud.js';
import { print, table } from './table.js';

type TraceEvent = operatorV1.TraceEvent;

/** Ids followed at most, so that a busy request can not make the command run for ever. */
const FOLLOWED = 20;

async function eventsOf(cloud: Cloud, id: string): Promise<TraceEvent[]> {
  const answers = await cloud.ask((operator) => operator.trace({ id }));
  return answers.flatMap(({ service, reply, error }) => reply?.events ?? [silent(service, error ?? '')]);
}

const silent = (service: string, detail: string): TraceEvent => ({
  atMs: Date.now(),
  service,
  node: '',
  what: 'could not be asked',
  outcome: 'unknown',
  detail,
  requestId: '',
  taskId: '',
  relatedIds: [],
});

/** Merges the events of all ids: each once, oldest first. */
export function timeline(events: readonly TraceEvent[]): TraceEvent[] {
  const unique = new Map(events.map((e) => [`${e.atMs} ${e.service} ${e.node} ${e.what} ${e.outcome} ${e.taskId}`, e]));
  return [...unique.values()].sort((a, b) => a.atMs - b.atMs);
}

/** The sentence that answers "why": the last thing that failed, or that nothing did. */
export function verdict(events: readonly TraceEvent[]): string {
  const failed = events.filter((e) => e.outcome === 'failed' || e.outcome === 'stuck').at(-1);
  if (failed)
    return `${failed.service}${failed.node ? ` on ${failed.node}` : ''}: ${failed.what} ${failed.outcome}: ${failed.detail}`;
  const waiting = events.filter((e) => e.outcome === 'waiting' || e.outcome === 'running').at(-1);
  return waiting ? `still at work: ${waiting.what} ${waiting.detail}` : 'nothing failed';
}

export async function why(cloud: Cloud, { output }: { output: 'table' | 'json' }, id: string): Promise<number> {
  const first = await eventsOf(cloud, id);
  const related = [...new Set(first.flatMap((event) => [...event.relatedIds, event.requestId]))].filter(
    (other) => other && other !== id,
  );
  const further = await Promise.all(related.slice(0, FOLLOWED).map((other) => eventsOf(cloud, other)));
  const events = timeline([...first, ...further.flat()]);
  const known = events.filter((event) => event.outcome !== 'unknown');
  if (!known.length) throw new Error(`nothing is known of ${id}`);
  const rows = events.map((e) => [new Date(e.atMs).toISOString(), e.service, e.node, e.what, e.outcome, e.detail]);
  const text = `${table(['TIME', 'SERVICE', 'NODE', 'WHAT', 'OUTCOME', 'DETAIL'], rows)}\n${verdict(events)}\n`;
  print(output, { id, events, verdict: verdict(events) }, text);
  return 0;
}
