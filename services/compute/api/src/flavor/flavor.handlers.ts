import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call } from '#libs/platform/http';
import { FLAVOR_SORT_COLUMNS, type FlavorQuery } from '#services/compute/data';
import type { Flavor, NewFlavor } from '#services/compute/domain';
import { Books, Surroundings } from '../books.js';
import { last, pageSize } from '../paging.wire.js';
import { truthOf } from '../values.wire.js';

/** The query string of a list, as read by `flavorQuery`. */
export interface FlavorListQuery {
  limit?: number;
  marker?: string;
  is_public?: string[];
  minRam?: string[];
  minDisk?: string[];
  sort_key?: string[];
  sort_dir?: string[];
}

@Injectable()
export class FlavorHandlers {
  constructor(
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  /** Rows with one more than the limit, and the limit. */
  async list(call: Call<undefined, FlavorListQuery>, isAdmin: boolean): Promise<{ rows: Flavor[]; limit: number }> {
    const limit = pageSize(call.query.limit);
    const { marker } = call.query;
    if (marker !== undefined && !(await this.books.flavors.find(this.books.db, marker)))
      throw fail.invalid(`marker [${marker}] not found`);
    const query: FlavorQuery = {
      ...visibility(call, isAdmin),
      minMemoryMb: number(last(call.query.minRam), 'minRam'),
      minDiskGb: number(last(call.query.minDisk), 'minDisk'),
      sorts: [sortOf(call.query)],
      marker,
      limit,
    };
    return { rows: await this.books.flavors.list(this.books.db, query), limit };
  }

  async find(id: string, visibleTo: string | undefined): Promise<Flavor> {
    const flavor = await this.books.flavors.find(this.books.db, id, visibleTo);
    if (!flavor) throw fail.notFound(`Flavor ${id} could not be found.`);
    return flavor;
  }

  create(flavor: NewFlavor): Promise<Flavor> {
    return this.books.flavors.insert(this.books.db, flavor, this.around.clock.now());
  }

  freshId(): string {
    return this.around.ids.uuid();
  }

  describe(id: string, description: string | null): Promise<Flavor> {
    return this.books.flavors.describe(this.books.db, id, description, this.around.clock.now());
  }

  remove(id: string): Promise<void> {
    return this.books.flavors.remove(this.books.db, id);
  }

  /** Projects that may use a private flavor. */
  access(id: string): Promise<string[]> {
    return this.books.flavors.projectsWithAccess(this.books.db, id);
  }

  async grant(id: string, project: string): Promise<string[]> {
    await this.books.flavors.grant(this.books.db, id, project);
    return this.access(id);
  }

  async revoke(id: string, project: string): Promise<string[]> {
    await this.books.flavors.revoke(this.books.db, id, project);
    return this.access(id);
  }

  async setSpecs(id: string, specs: Readonly<Record<string, string>>): Promise<void> {
    await this.books.flavors.setSpecs(this.books.db, id, specs, this.around.clock.now());
  }

  async unsetSpec(id: string, key: string): Promise<void> {
    const done = await this.books.flavors.unsetSpec(this.books.db, id, key, this.around.clock.now());
    if (!done) throw fail.notFound(`Flavor ${id} has no extra specs with key ${key}.`);
  }
}

/** Administrators choose; everyone else sees public flavors and those of the project. */
function visibility(
  call: Call<undefined, FlavorListQuery>,
  isAdmin: boolean,
): Pick<FlavorQuery, 'isPublic' | 'visibleTo'> {
  const own = { isPublic: undefined, visibleTo: call.who.projectId ?? '' };
  const asked = last(call.query.is_public);
  if (!isAdmin || asked === undefined) return own;
  if (asked.toLowerCase() === 'none') return { isPublic: undefined, visibleTo: undefined };
  const isPublic = truthOf(asked);
  if (isPublic === undefined) throw fail.invalid(`Invalid is_public filter [${asked.slice(0, 40)}]`);
  return isPublic ? own : { isPublic: false, visibleTo: undefined };
}

function number(text: string | undefined, field: string): number {
  if (text === undefined) return 0;
  if (!/^-?\d{1,9}$/.test(text)) throw fail.invalid(`Invalid ${field} filter [${text.slice(0, 40)}]`);
  return Number(text);
}

function sortOf(query: FlavorListQuery): FlavorQuery['sorts'][number] {
  const key = last(query.sort_key) ?? 'flavorid';
  const direction = last(query.sort_dir) ?? 'asc';
  if (!Object.hasOwn(FLAVOR_SORT_COLUMNS, key)) throw fail.invalid(`Invalid sort key: ${key.slice(0, 40)}`);
  if (direction !== 'asc' && direction !== 'desc')
    throw fail.invalid(`Invalid sort direction: ${direction.slice(0, 40)}`);
  return { key, direction };
}
