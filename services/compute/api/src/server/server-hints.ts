/** What scheduler hints come to: the group of a new server, and the nodes that it must be on or keep away from. */
import { Injectable } from '@nestjs/common';
import { fail, isUuid } from '#libs/kernel';
import type { OrderFacts, Server, ServerGroup, ServerOrder } from '#services/compute/domain';
import { Books } from '../books.js';

/** Whose servers and groups may be named. */
export interface HintsOf {
  readonly projectId: string;
  readonly isAdmin: boolean;
}

@Injectable()
export class ServerHints {
  constructor(private readonly books: Books) {}

  /** Throws `invalid` for a group that is not there, or servers to be beside that are on no node. */
  async read(
    { hints }: Pick<ServerOrder, 'hints'>,
    of: HintsOf,
  ): Promise<Pick<OrderFacts, 'group' | 'amongProviderIds' | 'excludeProviderIds'>> {
    const [group, beside, apart] = await Promise.all([
      this.#group(hints['group'], of),
      this.#nodesOf(hints['same_host'], of),
      this.#nodesOf(hints['different_host'], of),
    ]);
    if (hints['same_host'] !== undefined && !beside.length)
      throw fail.invalid('The hint same_host names no server that is on a node.');
    return { group, amongProviderIds: beside, excludeProviderIds: apart };
  }

  async #group(hint: unknown, of: HintsOf): Promise<ServerGroup | null> {
    if (hint === undefined) return null;
    const id = String(hint).toLowerCase();
    const group = isUuid(id) ? await this.books.groups.find(this.books.db, id) : undefined;
    if (!group || !sees(group, of)) throw fail.invalid(`Instance group ${id.slice(0, 64)} could not be found.`);
    return group;
  }

  /** Servers that are gone or were never there hold nobody up. */
  async #nodesOf(hint: unknown, of: HintsOf): Promise<string[]> {
    const ids = [hint].flat().filter((id): id is string => typeof id === 'string');
    if (!ids.length) return [];
    if (!ids.every(isUuid)) throw fail.invalid('A scheduler hint must name servers by their ids.');
    const servers = await this.books.servers.findMany(this.books.db, ids);
    const nodes = servers.filter((server) => sees(server, of)).map(({ hypervisorId }) => hypervisorId);
    return [...new Set(nodes)].filter((id) => id !== null);
  }
}

const sees = ({ projectId }: Pick<Server, 'projectId'>, of: HintsOf): boolean =>
  of.isAdmin || projectId === of.projectId;
