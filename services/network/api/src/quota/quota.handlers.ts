import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { type Amounts, checkedLimit, isResource, noProject, refuseBelow } from '#services/network/domain';
import { NetworkParts } from '../parts.js';
import type { AnyCall } from '../scope.js';
import { isOn } from '../values.wire.js';
import { detailsView, limitsView, type QuotaBody } from './quota.wire.js';

export interface QuotaTarget {
  readonly projectId: string;
}

@Injectable()
export class QuotaHandlers {
  constructor(private readonly parts: NetworkParts) {}

  /** Quotas exist for every project, known or not. */
  target(call: AnyCall): QuotaTarget {
    return { projectId: call.params['id'] ?? '' };
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
    const { quota } = call.body as { quota: QuotaBody };
    const limits: Partial<Record<keyof Amounts, number>> = {};
    for (const [name, value] of Object.entries(quota)) if (isResource(name)) limits[name] = checkedLimit(name, value);
    const { quotas, db } = this.parts.books;
    await db.tx(async (tx) => {
      if (isOn(quota.check_limit)) refuseBelow(limits, await quotas.usage(tx, projectId));
      await quotas.setLimits(tx, projectId, limits);
    });
    return { body: { quota: limitsView(await quotas.limits(db, projectId)) } };
  }

  async reset({ projectId }: QuotaTarget): Promise<Reply> {
    const { quotas, db } = this.parts.books;
    await quotas.reset(db, projectId);
    return {};
  }

  /** The project that a client without an id means: its own. */
  own(call: AnyCall, word: 'tenant' | 'project'): Reply {
    const { projectId } = call.who;
    if (projectId === undefined) throw noProject();
    return { body: { [word]: { [`${word}_id`]: projectId } } };
  }
}
