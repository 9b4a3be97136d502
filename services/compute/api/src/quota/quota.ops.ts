/** Quota sets, the default class, and the limits a client sees of itself. */
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { ADMIN, everyone, PROJECT_READER, type Rule, rule } from '#libs/platform/policy';
import { type QuotaLimits, type QuotaResource, UNLIMITED } from '#services/compute/domain';
import { Books } from '../books.js';
import { last } from '../paging.wire.js';
import { truth, whole } from '../values.wire.js';
import {
  absoluteLimits,
  classBody,
  detailedQuota,
  limitsQuery,
  type QuotaRow,
  quotaBody,
  quotaQuery,
  shownClass,
  shownQuota,
  updatedClass,
  updatedQuota,
} from './quota.wire.js';

type Wanted = Readonly<Partial<Record<QuotaResource, number | string>>>;

@Injectable()
export class QuotaHandlers {
  constructor(private readonly books: Books) {}

  /** Limits and use of a project, or of one user within it. */
  async row(projectId: string, userId = ''): Promise<QuotaRow> {
    const { db, quotas, keypairs, groups } = this.books;
    const [limits, used, keys, ofGroups] = await Promise.all([
      quotas.limits(db, projectId, userId),
      userId ? quotas.usageOfUser(db, projectId, userId) : quotas.usage(db, projectId),
      userId ? keypairs.count(db, userId) : 0,
      groups.count(db, projectId, userId || undefined),
    ]);
    return {
      id: projectId,
      limits: limits.user ?? limits.project,
      used: { ...used, key_pairs: keys, server_groups: ofGroups },
    };
  }

  async defaults(id: string): Promise<QuotaRow> {
    return { id, limits: await this.books.quotas.defaults(this.books.db), used: { instances: 0, cores: 0, ram: 0 } };
  }

  async update(projectId: string, userId: string, wanted: Wanted, force: boolean): Promise<QuotaRow> {
    const limits = numbers(wanted);
    const { db, quotas } = this.books;
    const project = (await quotas.limits(db, projectId)).project;
    const { used } = await this.row(projectId, userId);
    for (const [resource, limit] of Object.entries(limits) as [QuotaResource, number][]) {
      if (userId) refuseBeyond(resource, limit, project[resource]);
      const inUse = (used as Partial<Record<QuotaResource, number>>)[resource] ?? 0;
      if (!force && limit !== UNLIMITED && limit < inUse)
        throw fail.invalid(
          `Quota limit ${limit} for ${resource} must be greater than or equal to already used and reserved ${inUse}.`,
        );
    }
    await quotas.set(db, projectId, userId, limits);
    return this.row(projectId, userId);
  }

  async setDefaults(wanted: Wanted): Promise<QuotaRow> {
    await this.books.quotas.set(this.books.db, '', '', numbers(wanted));
    return this.defaults('default');
  }

  async clear(projectId: string, userId: string): Promise<void> {
    await this.books.quotas.clear(this.books.db, projectId, userId);
  }
}

const numbers = (wanted: Wanted): Partial<QuotaLimits> =>
  Object.fromEntries(Object.entries(wanted).map(([name, limit]) => [name, whole(limit, name, UNLIMITED)]));

/** A user's part can not be more than the whole. */
function refuseBeyond(resource: string, limit: number, most: number): void {
  if (most !== UNLIMITED && (limit === UNLIMITED || limit > most))
    throw fail.invalid(`Quota limit ${limit} for ${resource} must be less than or equal to ${most}.`);
}

const sets = (what: string, check = ADMIN): Rule => rule(`os_compute_api:os-quota-sets:${what}`, check);
const classes = (what: string): Rule => rule(`os_compute_api:os-quota-class-sets:${what}`, ADMIN);
const OTHER_LIMITS = rule('os_compute_api:limits:other_project', ADMIN);
/** Asked for by name. */
export const quotaRules: readonly Rule[] = [OTHER_LIMITS];

const projectOf = (call: { readonly params: Readonly<Record<string, string>> }): string => {
  const id = call.params['id'] ?? '';
  if (!/^[\w-]{1,64}$/.test(id)) throw fail.invalid(`Project ID ${id.slice(0, 64)} is not a valid project.`);
  return id;
};

const setRows: readonly Op[] = [
  op(QuotaHandlers, {
    method: 'GET',
    path: '/v2.1/os-quota-sets/:id',
    rule: sets('show', PROJECT_READER),
    status: 200,
    query: quotaQuery,
    load: async (_handlers, call) => ({ projectId: projectOf(call) }),
    shared: () => true,
    run: async (handlers, call, { projectId }) => ({
      body: { quota_set: shownQuota(await handlers.row(projectId, last(call.query.user_id)), call) },
    }),
  }),
  op(QuotaHandlers, {
    method: 'GET',
    path: '/v2.1/os-quota-sets/:id/detail',
    rule: sets('detail', PROJECT_READER),
    status: 200,
    query: quotaQuery,
    load: async (_handlers, call) => ({ projectId: projectOf(call) }),
    shared: () => true,
    run: async (handlers, call, { projectId }) => ({
      body: { quota_set: detailedQuota(await handlers.row(projectId, last(call.query.user_id)), call) },
    }),
  }),
  op(QuotaHandlers, {
    method: 'GET',
    path: '/v2.1/os-quota-sets/:id/defaults',
    rule: sets('defaults', everyone),
    status: 200,
    run: async (handlers, call) => ({
      body: { quota_set: shownQuota(await handlers.defaults(projectOf(call)), call) },
    }),
  }),
  op(QuotaHandlers, {
    method: 'PUT',
    path: '/v2.1/os-quota-sets/:id',
    rule: sets('update'),
    status: 200,
    body: quotaBody,
    query: quotaQuery,
    run: async (handlers, call) => {
      const { force = false, ...wanted } = call.body.quota_set;
      const userId = last(call.query.user_id) ?? '';
      const row = await handlers.update(projectOf(call), userId, wanted, truth(force));
      return { body: { quota_set: updatedQuota(row, call) } };
    },
  }),
  op(QuotaHandlers, {
    method: 'DELETE',
    path: '/v2.1/os-quota-sets/:id',
    rule: sets('delete'),
    status: 202,
    query: quotaQuery,
    run: async (handlers, call) => {
      await handlers.clear(projectOf(call), last(call.query.user_id) ?? '');
      return {};
    },
  }),
];

const classRows: readonly Op[] = [
  op(QuotaHandlers, {
    method: 'GET',
    path: '/v2.1/os-quota-class-sets/:id',
    rule: classes('show'),
    status: 200,
    run: async (handlers, call) => ({
      body: { quota_class_set: shownClass(await handlers.defaults(call.params['id'] ?? 'default'), call) },
    }),
  }),
  op(QuotaHandlers, {
    method: 'PUT',
    path: '/v2.1/os-quota-class-sets/:id',
    rule: classes('update'),
    status: 200,
    body: classBody,
    run: async (handlers, call) => {
      if (call.params['id'] !== 'default') throw fail.invalid('Only the class default can be changed.');
      return { body: { quota_class_set: updatedClass(await handlers.setDefaults(call.body.quota_class_set), call) } };
    },
  }),
];

const limits = op(QuotaHandlers, {
  method: 'GET',
  path: '/v2.1/limits',
  rule: rule('os_compute_api:limits', everyone),
  status: 200,
  query: limitsQuery,
  run: async (handlers, call) => {
    const own = call.who.projectId ?? '';
    const projectId = last(call.query.tenant_id) ?? own;
    if (projectId !== own && !call.may(OTHER_LIMITS.name))
      throw fail.forbidden(`Policy doesn't allow ${OTHER_LIMITS.name} to be performed.`);
    const absolute = absoluteLimits(await handlers.row(projectId), call);
    return { body: { limits: { rate: [], absolute } } };
  },
});

export const quotaOps: readonly Op[] = [...setRows, ...classRows, limits];
