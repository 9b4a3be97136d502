import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { type Amounts, checkedLimit, isResource } from '#services/network/domain';
import { NetworkParts } from '../parts.js';
import type { AnyCall } from '../scope.js';
import { detailsView, limitsView } from './quota.wire.js';

export interface QuotaTarget {
  readonly projectId: string;
}

@Injectable()
export class QuotaHandlers {
  constructor(private readonly parts: NetworkParts) {}

  /** Quotas exist for every project, known or not. */
  target(call: AnyCall): QuotaTarget {
    return { projectId: (call.params['id'] ?? '').replace(/\.json$/, '') };
  }

  async show({ projectId }: QuotaTarget): Promise<Reply> {
    const { quotas, db } = this.parts.books;
    return { body: { quota: limitsView(await quotas.limits(db, projectId)) } };
  }

  defaults(): Reply {
    return { body: { quota: limitsView(this.parts.books.quotas.defaultLimits) } };
  }

  async details({ projectId }: QuotaTarget): Promise<Reply> {
    const { quotas, db } = this.parts.books;
    return { body: { quota: detailsView(await quotas.usage(db, projectId)) } };
  }

  async list(): Promise<Reply> {
    const { quotas, db } = this.parts.books;
    const own = await quotas.listOwn(db);
    const shown = own.map(({ projectId, limits }) => ({
      ...limitsView(limits),
      project_id: projectId,
      tenant_id: projectId,
    }));
    return { body: { quotas: shown } };
  }

  async update(call: AnyCall, { projectId }: QuotaTarget): Promise<Reply> {
    const { quota } = call.body as { quota: Record<string, unknown> };
    const limits: Partial<Record<keyof Amounts, number>> = {};
    for (const [name, value] of Object.entries(quota)) if (isResource(name)) limits[name] = checkedLimit(name, value);
    const { quotas, db } = this.parts.books;
    await db.tx((tx) => quotas.setLimits(tx, projectId, limits));
    return { body: { quota: limitsView(await quotas.limits(db, projectId)) } };
  }

  async reset({ projectId }: QuotaTarget): Promise<Reply> {
    const { quotas, db } = this.parts.books;
    await quotas.reset(db, projectId);
    return {};
  }

  /** The project that a client without an id means: its own. */
  tenant(call: AnyCall): Reply {
    return { body: { tenant: { tenant_id: call.who.projectId ?? null } } };
  }
}
