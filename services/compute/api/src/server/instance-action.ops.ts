/** What was done to a server: a view over the stored tasks and their steps. */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type StepHistory, type TaskHistory, taskHistory } from '#libs/platform/flow';
import { type Op, op } from '#libs/platform/http';
import type { Rule } from '#libs/platform/policy';
import { during, type Field, nextLinks, nextPageUrl, view } from '#libs/wire';
import { type Server, serverKey } from '#services/compute/domain';
import { Books } from '../books.js';
import { admin, isAdmin, reader } from '../compute.rules.js';
import { last, looseQuery, pageOf, pageSize } from '../paging.wire.js';
import { isoNaive, timeOf } from '../values.wire.js';
import { ServerHandlers } from './server.handlers.js';
import { hostId } from './server.wire.js';
import { loadServer } from './server-target.js';

const MOST = 1_000;

@Injectable()
export class InstanceActionHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly books: Books,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  findEver(...args: Parameters<ServerHandlers['findEver']>): Promise<Server> {
    return this.servers.findEver(...args);
  }

  /** The newest first. */
  async actions(server: Server): Promise<TaskHistory[]> {
    return (await taskHistory(this.books.db, { key: serverKey(server.id) }, MOST)).reverse();
  }
}

interface Action extends TaskHistory {
  readonly server: Server;
}
interface Event extends StepHistory {
  readonly action: Action;
}

/** Nova's word: `createImage` for `server.create-image`; some of its words are written otherwise. */
const WORDS: Readonly<Record<string, string>> = {
  'attach-interface': 'attach_interface',
  'detach-interface': 'detach_interface',
  'trigger-crash-dump': 'trigger_crash_dump',
};
const name = (kind: string): string => {
  const own = kind.split('.').at(-1) ?? kind;
  return WORDS[own] ?? own.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
};
/** Nothing ends unless it ended: a task that was turned round or gave up has failed. */
const failed = ({ direction, state }: TaskHistory): boolean =>
  direction === 'undo' || state === 'stuck' || state === 'abandoned';
const latest = (task: TaskHistory): Date => {
  const times = task.steps.flatMap(({ startedAt, doneAt }) => [startedAt, doneAt]).filter((at) => at !== null);
  const all = [task.createdAt, task.startedAt, task.finishedAt, ...times].filter((at) => at !== null);
  return new Date(Math.max(...all.map((at) => at.getTime())));
};

const shortFields: readonly Field<Action>[] = [
  { name: 'action', from: (task) => name(task.kind) },
  { name: 'instance_uuid', from: ({ server }) => server.id },
  { name: 'request_id', from: (task) => task.requestId },
  { name: 'user_id', from: (task) => task.userId },
  { name: 'project_id', from: (task) => task.projectId },
  { name: 'start_time', from: (task) => isoNaive(task.createdAt) },
  { name: 'message', from: (task) => (failed(task) ? 'Error' : null) },
  { name: 'updated_at', since: '2.58', from: (task) => isoNaive(latest(task)) },
];
const listedAction = view(shortFields);

const EVENTS = admin('os-instance-actions:events');
const DETAILS = admin('os-instance-actions:events:details');
/** Asked for by views. */
export const instanceActionRules: readonly Rule[] = [EVENTS, DETAILS];

/** A step that came to its end may have found that a node could not do it: that try has failed, and names its node. */
function tryOf({ output }: StepHistory): { readonly node: string | null; readonly why: string | null } {
  const { node, why } = (output ?? {}) as Record<string, unknown>;
  return { node: typeof node === 'string' ? node : null, why: typeof why === 'string' ? why : null };
}
const hostOf = (event: Event): string | null => tryOf(event).node ?? event.action.server.host;
function resultOf(event: Event): string | null {
  if (event.doneAt === null) return event.failure === null ? null : 'Error';
  return tryOf(event).why === null ? 'Success' : 'Error';
}

const eventView = view<Event>([
  {
    name: 'event',
    from: ({ action, step, direction }) => `${action.kind}: ${direction === 'undo' ? 'undo ' : ''}${step}`,
  },
  { name: 'start_time', from: (event) => isoNaive(event.startedAt) },
  { name: 'finish_time', from: ({ doneAt }) => (doneAt === null ? null : isoNaive(doneAt)) },
  { name: 'result', from: resultOf },
  { name: 'traceback', rule: EVENTS.name, from: (event) => event.cause ?? event.failure ?? tryOf(event).why },
  { name: 'hostId', since: '2.62', from: (event) => hostId(event.action.server.projectId, hostOf(event)) },
  { name: 'host', since: '2.62', rule: EVENTS.name, from: (event) => hostOf(event) ?? '' },
  { name: 'details', since: '2.84', rule: DETAILS.name, from: (event) => event.failure ?? tryOf(event).why },
]);

const eventsOf = (action: Action): Event[] => action.steps.map((step) => ({ ...step, action }));

const shownAction = view<Action>([
  ...shortFields,
  {
    name: 'events',
    until: '2.50',
    rule: EVENTS.name,
    from: (action, context) => eventsOf(action).map((event) => eventView(event, context)),
  },
  {
    name: 'events',
    since: '2.51',
    from: (action, context) => eventsOf(action).map((event) => eventView(event, context)),
  },
]);

const text = (since: string) => Type.Optional(Type.Array(Type.String({ maxLength: 255 }), during({ since })));
const actionsQuery = looseQuery({
  limit: Type.Optional(Type.Integer({ minimum: 0, ...during({ since: '2.58' }) })),
  marker: Type.Optional(Type.String({ maxLength: 255, ...during({ since: '2.58' }) })),
  'changes-since': text('2.58'),
  'changes-before': text('2.66'),
});

function after(actions: readonly Action[], marker: string | undefined): readonly Action[] {
  if (marker === undefined) return actions;
  const at = actions.findIndex(({ requestId }) => requestId === marker);
  if (at < 0) throw fail.invalid(`marker [${marker.slice(0, 64)}] not found`);
  return actions.slice(at + 1);
}

/** Up to 2.20 what happened to a deleted server can not be asked. */
const spans = [
  { since: '2.1', until: '2.20', ever: false },
  { since: '2.21', ever: true },
] as const;

export const instanceActionOps: readonly Op[] = spans.flatMap(({ ever, ...span }) => [
  op(InstanceActionHandlers, {
    method: 'GET',
    path: '/v2.1/servers/:id/os-instance-actions',
    ...span,
    rule: reader('os-instance-actions:list'),
    status: 200,
    query: actionsQuery,
    load: (handlers, call) =>
      ever ? handlers.findEver(call.params['id'] ?? '', call.who, isAdmin(call)) : loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const since = last(call.query['changes-since']);
      const before = last(call.query['changes-before']);
      const from = since === undefined ? undefined : timeOf(since, 'changes-since');
      const to = before === undefined ? undefined : timeOf(before, 'changes-before');
      const actions = (await handlers.actions(server))
        .map((task): Action => ({ ...task, server }))
        .filter((task) => (!from || latest(task) >= from) && (!to || latest(task) <= to));
      const limit = pageSize(call.query.limit);
      const { page, more } = pageOf(after(actions, call.query.marker), limit);
      const final = page.at(-1);
      const links = nextLinks(more && final ? nextPageUrl(call.base, call.url, final.requestId) : undefined);
      const instanceActions = page.map((action) => listedAction(action, call));
      return { body: { instanceActions, ...(links ? { links } : {}) } };
    },
  }),
  op(InstanceActionHandlers, {
    method: 'GET',
    path: '/v2.1/servers/:id/os-instance-actions/:request',
    ...span,
    rule: reader('os-instance-actions:show'),
    status: 200,
    load: (handlers, call) =>
      ever ? handlers.findEver(call.params['id'] ?? '', call.who, isAdmin(call)) : loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const request = call.params['request'] ?? '';
      const task = (await handlers.actions(server)).find(({ requestId }) => requestId === request);
      if (!task)
        throw fail.notFound(`Action for request_id ${request.slice(0, 64)} on instance ${server.id} not found`);
      return { body: { instanceAction: shownAction({ ...task, server }, call) } };
    },
  }),
]);
