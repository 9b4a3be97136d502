/**
 * `yagura why ID`: every service is asked for what it did about an id; ids that turn up on the way (the ports of a
 * server, the server of a request) are followed one step further. What has more to say than a line (what each node said
 * when none took a server) stands below the timeline, and below all of it the last failure as the answer.
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

/** So many lines of one event are printed; JSON has them all. */
const LINES = 30;

const headOf = (detail: string): string => detail.split('\n', 1)[0] ?? '';

/** The lines below the first of each event, under a title that says when it was. */
export function details(events: readonly TraceEvent[]): string {
  return events
    .filter(({ detail }) => detail.includes('\n'))
    .map(({ atMs, service, what, outcome, detail }) => {
      const [, ...lines] = detail.split('\n');
      const more = lines.length > LINES ? [`and ${lines.length - LINES} more`] : [];
      const title = `${service}: ${what} ${outcome} at ${new Date(atMs).toISOString()}`;
      return [title, ...[...lines.slice(0, LINES), ...more].map((line) => `  ${line}`)].join('\n');
    })
    .map((text) => `\n${text}\n`)
    .join('');
}

/** The sentence that answers "why": the last thing that failed, or that nothing did. */
export function verdict(events: readonly TraceEvent[]): string {
  const failed = events.filter((e) => e.outcome === 'failed' || e.outcome === 'stuck').at(-1);
  if (failed)
    return `${failed.service}${failed.node ? ` on ${failed.node}` : ''}: ${failed.what} ${failed.outcome}: ${headOf(failed.detail)}`;
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
  const rows = events.map((e) => [
    new Date(e.atMs).toISOString(),
    e.service,
    e.node,
    e.what,
    e.outcome,
    headOf(e.detail),
  ]);
  const text = `${table(['TIME', 'SERVICE', 'NODE', 'WHAT', 'OUTCOME', 'DETAIL'], rows)}${details(events)}\n${verdict(events)}\n`;
  print(output, { id, events, verdict: verdict(events) }, text);
  return 0;
}
