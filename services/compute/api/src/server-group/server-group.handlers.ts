import { Injectable } from '@nestjs/common';
import { fail, isUuid } from '#libs/kernel';
import type { GroupQuery } from '#services/compute/data';
import type { GroupPolicy, ServerGroup } from '#services/compute/domain';
import { Books, Surroundings } from '../books.js';
import type { GroupRow } from './server-group.wire.js';

export interface NewGroup {
  readonly projectId: string;
  readonly userId: string;
  readonly name: string;
  readonly policy: GroupPolicy;
  readonly maxPerHost: number | null;
}

export const groupNotFound = (id: string) => fail.notFound(`Instance group ${id.slice(0, 64)} could not be found.`);

@Injectable()
export class ServerGroupHandlers {
  constructor(
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  /** A group of the project, or any for an administrator. */
  async find(id: string, projectId: string | undefined, isAdmin: boolean): Promise<GroupRow> {
    const { db, groups } = this.books;
    const group = isUuid(id) ? await groups.find(db, id) : undefined;
    if (!group || (!isAdmin && group.projectId !== projectId)) throw groupNotFound(id);
    const [row] = await this.#rows([group]);
    return row!;
  }

  async list(query: GroupQuery): Promise<GroupRow[]> {
    return this.#rows(await this.books.groups.list(this.books.db, query));
  }

  async create(wanted: NewGroup): Promise<GroupRow> {
    if (wanted.maxPerHost !== null && wanted.policy !== 'anti-affinity')
      throw fail.invalid('Only anti-affinity policy supports rules.');
    const { db, groups, quotas } = this.books;
    const limits = await quotas.limits(db, wanted.projectId, wanted.userId);
    const group = { ...wanted, id: this.around.ids.uuid(), createdAt: this.around.clock.now() };
    await db.tx((tx) => groups.insert(tx, group, limits));
    return { ...group, members: [] };
  }

  async remove(group: ServerGroup): Promise<void> {
    if (!(await this.books.groups.remove(this.books.db, group.id))) throw groupNotFound(group.id);
  }

  async #rows(found: readonly ServerGroup[]): Promise<GroupRow[]> {
    const { db, groups } = this.books;
    const members = await groups.members(
      db,
      found.map(({ id }) => id),
    );
    return found.map((group) => ({ ...group, members: members.get(group.id) ?? [] }));
  }
}
