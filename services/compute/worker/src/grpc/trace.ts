/** The timeline of a server, a task or a request, from what is stored: tasks, their steps and debts, and what nodes said. */
import { operatorV1 } from '#libs/contract';
import { isRequestId, isUuid } from '#libs/kernel';
import type { Sql } from '#libs/platform/db';
import { type DebtHistory, type StepHistory, type TaskHistory, taskHistory } from '#libs/platform/flow';
import type { NodeEvent, NodeEventRepo } from '#services/compute/data';
import { serverKey } from '#services/compute/domain';

type Event = operatorV1.TraceEvent;

const SERVICE = 'compute';

/** Everything known of an id, oldest first. */
export async function trace(db: Sql, events: NodeEventRepo, id: string): Promise<Event[]> {
  const [tasks, said] = await Promise.all([tasksOf(db, id), eventsOf(db, events, id)]);
  return [...tasks.flatMap(taskEvents), ...said.map(nodeEvent)].sort((a, b) => a.atMs - b.atMs);
}

async function tasksOf(db: Sql, id: string): Promise<TaskHistory[]> {
  if (isRequestId(id)) return taskHistory(db, { requestId: id });
  if (!isUuid(id)) return [];
  const [byServer, byId] = await Promise.all([taskHistory(db, { key: serverKey(id) }), taskHistory(db, { id })]);
  return [...byServer, ...byId];
}

async function eventsOf(db: Sql, events: NodeEventRepo, id: string): Promise<NodeEvent[]> {
  if (isRequestId(id)) return events.ofRequest(db, id);
  return isUuid(id) ? events.ofServer(db, id) : events.ofNode(db, id);
}

const serverOf = (task: TaskHistory): string => task.key.slice(task.key.indexOf('/') + 1);

function taskEvents(task: TaskHistory): Event[] {
  const event = (at: Date, what: string, outcome: string, detail = '', node = ''): Event => ({
    atMs: at.getTime(),
    service: SERVICE,
    node,
    what: `${task.kind}${what}`,
    outcome,
    detail,
    requestId: task.requestId,
    taskId: task.id,
    relatedIds: [serverOf(task)],
  });
  const steps = task.steps.map((step) => stepEvent(step, event));
  const debts = task.debts.flatMap((debt) => debtEvents(debt, event));
  const waits = task.trouble
    ? [event(task.nextTry, `: ${task.step ?? ''}`, 'waiting', both(task.trouble, task.troubleCause))]
    : [];
  // The database and the runner have clocks of their own: the end never stands before the last step.
  const end = [task.finishedAt ?? task.nextTry, ...task.steps.map((step) => step.doneAt ?? step.startedAt)].reduce(
    later,
  );
  return [
    event(task.createdAt, '', 'begun'),
    ...steps,
    ...debts,
    ...waits,
    event(end, '', outcomeOf(task), both(task.failure, task.cause ?? task.note)),
  ];
}

const later = (a: Date, b: Date): Date => (a > b ? a : b);

/** The words of the timeline for the states of a task. */
function outcomeOf(task: TaskHistory): string {
  if (task.state === 'undone') return task.cancelled ? 'cancelled' : 'failed';
  return task.state === 'done' ? 'ok' : task.state;
}

type MakeEvent = (at: Date, what: string, outcome: string, detail?: string, node?: string) => Event;

function stepEvent(step: StepHistory, event: MakeEvent): Event {
  const what = `: ${step.direction === 'undo' ? 'undo ' : ''}${step.step}`;
  const { node, why } = outputOf(step.output);
  const done = step.outcome === 'owed' ? 'owed' : why ? 'failed' : 'ok';
  const outcome = step.doneAt ? done : step.failure ? 'failed' : 'waiting';
  const failures = step.failures ? `after ${step.failures} failures: ${both(step.failure, step.cause)}` : '';
  const detail = [why, failures].filter(Boolean).join('; ');
  return event(step.doneAt ?? step.startedAt, what, outcome, detail, node);
}

/** What our steps record that an operator wants to read. */
function outputOf(output: unknown): { node: string; why: string } {
  const { node, why, owed } = (output ?? {}) as Record<string, unknown>;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return { node: text(node), why: text(why) || text(owed) };
}

function debtEvents(debt: DebtHistory, event: MakeEvent): Event[] {
  const what = `: debt of ${debt.direction === 'undo' ? 'undo ' : ''}${debt.step}`;
  const made = event(
    debt.createdAt,
    what,
    debt.settledAt ? 'owed' : 'waiting',
    debt.failure ?? debt.reason,
    debt.creditor,
  );
  return debt.settledAt ? [made, event(debt.settledAt, what, 'ok', debt.failure ?? '', debt.creditor)] : [made];
}

/** The public message with the private cause behind it. */
const both = (message: string | null, cause: string | null): string =>
  cause && cause !== message ? `${message ?? ''} (${cause})` : (message ?? '');

/** Of what nodes say; `event` and `incident` are what happened by itself, well or not. */
const OUTCOMES: Readonly<Record<string, string>> = { done: 'ok', event: 'ok', incident: 'failed' };

const nodeEvent = (said: NodeEvent): Event =>
  operatorV1.TraceEvent.fromPartial({
    atMs: said.at.getTime(),
    service: SERVICE,
    node: said.node,
    what: said.what,
    outcome: OUTCOMES[said.outcome] ?? said.outcome,
    detail: said.detail,
    requestId: said.requestId,
    relatedIds: said.serverId ? [said.serverId] : [],
  });
