/** Segments, read with what carries their networks. They live and die with these. */
import type { Sql, Tx } from '#libs/platform/db';
import type { NetworkSegment, NetworkType } from '#services/network/domain';
import {
  byInteger,
  byNullableText,
  byTags,
  byText,
  byUuid,
  type ListRequest,
  type ListSpec,
  listSql,
  type Page,
  pageOf,
  since,
} from './listing.js';

interface Row {
  readonly id: string;
  readonly network_id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly network_type: NetworkType;
  readonly physical_network: string | null;
  readonly segmentation_id: number | null;
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const SELECT = 'g.*, n.network_type, n.physical_network, n.segmentation_id';
const FROM = 'segment g join network n on n.id = g.network_id';

const toSegment = (row: Row): NetworkSegment => ({
  id: row.id,
  projectId: '',
  networkId: row.network_id,
  name: row.name,
  description: row.description,
  networkType: row.network_type,
  physicalNetwork: row.physical_network,
  segmentationId: row.segmentation_id,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: SELECT,
  from: FROM,
  id: 'g.id',
  filters: {
    id: byUuid('g.id'),
    network_id: byUuid('g.network_id'),
    name: byNullableText('g.name'),
    description: byNullableText('g.description'),
    network_type: byText('n.network_type'),
    physical_network: byNullableText('n.physical_network'),
    segmentation_id: byInteger('n.segmentation_id'),
    revision_number: byInteger('g.revision'),
    changed_since: since('g.updated_at'),
    ...byTags('g.tags'),
  },
  sortable: {
    id: 'g.id',
    network_id: 'g.network_id',
    name: 'g.name',
    network_type: 'n.network_type',
    created_at: 'g.created_at',
    updated_at: 'g.updated_at',
  },
};
export const SEGMENT_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export interface SegmentChange {
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
}

export class SegmentRepo {
  async find(on: Sql, id: string): Promise<NetworkSegment | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from ${FROM} where g.id = $1`, [id]);
    return row && toSegment(row);
  }

  async list(on: Sql, request: ListRequest): Promise<Page<NetworkSegment>> {
    const { text, params } = listSql(LIST, request, () => 'true');
    return pageOf((await on.query<Row>(text, params)).map(toSegment), request);
  }

  /** False where it is gone. */
  async update(tx: Tx, id: string, { name, description }: SegmentChange, now: Date): Promise<boolean> {
    const done = await tx.exec(
      `update segment set name = case when $2 then $3 else name end,
         description = case when $4 then $5 else description end, revision = revision + 1, updated_at = $6 where id = $1`,
      [id, name !== undefined, name ?? null, description !== undefined, description ?? null, now],
    );
    return done === 1;
  }

  /** The subnets that name it, as many as an error may name. */
  async subnetsOf(on: Sql, id: string): Promise<string[]> {
    const rows = await on.query<{ id: string }>('select id from subnet where segment_id = $1 order by id limit 20', [
      id,
    ]);
    return rows.map((row) => row.id);
  }

  /** What the subnets of a network name, but one of them. Changes of this go one by one until the transaction ends. */
  async associations(tx: Tx, networkId: string, butSubnetId: string): Promise<(string | null)[]> {
    await tx.exec('select 1 from segment where network_id = $1 for no key update', [networkId]);
    const rows = await tx.query<{ segment_id: string | null }>(
      'select distinct segment_id from subnet where network_id = $1 and id <> $2',
      [networkId, butSubnetId],
    );
    return rows.map((row) => row.segment_id);
  }
}
