import { type Op, op, type Reply } from '#libs/platform/http';
import { type Credentials, rule } from '#libs/platform/policy';
import { reaches, type Targets } from '#services/network/domain';
import type { AnyCall } from '../scope.js';
import { TagHandlers } from './tag.handlers.js';
import { tagsBody } from './tag.wire.js';
import { TAGGABLE, type Taggable, type TaggedRow } from './taggable.js';

interface Shareable {
  readonly sharedWith?: Targets;
  readonly externalTo?: Targets;
  readonly networkSharedWith?: Targets;
  readonly networkProjectId?: string;
}

/** Whoever sees the resource of another project sees its tags; whether they may be changed is the rule's to say. */
function shared(row: TaggedRow & Shareable, who: Credentials): boolean {
  const targets = [...(row.sharedWith ?? []), ...(row.externalTo ?? []), ...(row.networkSharedWith ?? [])];
  return reaches(targets, who.projectId) || (who.projectId !== undefined && row.networkProjectId === who.projectId);
}

type Run = (handlers: TagHandlers, call: AnyCall, row: TaggedRow) => Promise<Reply> | Reply;

function opsOf(kind: Taggable): Op[] {
  const { collection, get, update } = kind;
  const all = `/v2.0/${collection}/:id/tags`;
  const one = `${all}/:tag`;
  const load = (handlers: TagHandlers, call: AnyCall): Promise<TaggedRow> => handlers.load(collection, call);
  const named = (verb: string) => rule(`${verb}_${collection}_tags`, (verb === 'get' ? get : update).check);
  const row = (method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, verb: string, status: number, run: Run) =>
    op(TagHandlers, { method, path, rule: named(verb), status, load, shared, run });
  const withBody = (method: 'PUT' | 'POST', verb: string, status: number, run: Run) =>
    op(TagHandlers, { method, path: all, rule: named(verb), status, body: tagsBody, load, shared, run });
  return [
    row('GET', all, 'get', 200, (handlers, _call, found) => handlers.list(found)),
    row('GET', one, 'get', 204, (handlers, call, found) => handlers.confirm(call, found)),
    withBody('POST', 'create', 201, (handlers, call, found) => handlers.addSeveral(call, kind, found)),
    withBody('PUT', 'update', 200, (handlers, call, found) => handlers.replace(call, kind, found)),
    row('PUT', one, 'update', 201, (handlers, call, found) => handlers.add(call, kind, found)),
    row('DELETE', all, 'delete', 204, (handlers, call, found) => handlers.removeAll(call, kind, found)),
    row('DELETE', one, 'delete', 204, (handlers, call, found) => handlers.remove(call, kind, found)),
  ];
}

export const tagOps: readonly Op[] = TAGGABLE.flatMap(opsOf);
