/** A provider's row as the domain's facts. */
import type { Amounts, Inventories, NodeProfile, ProviderFacts } from '#services/placement/domain';

export interface ProviderRow {
  readonly id: string;
  readonly name: string;
  readonly generation: number;
  readonly parent_id: string | null;
  readonly root_id: string;
  readonly inventories: Inventories;
  readonly used: Amounts;
  readonly traits: readonly string[];
  readonly aggregates: readonly string[];
  readonly is_node: boolean;
  readonly disabled_reason: string | null;
  readonly zone: string;
  readonly profile: NodeProfile;
  readonly updated_at: Date;
}

/** For a table or alias named `p`. */
export const PROVIDER_COLUMNS = `p.id, p.name, p.generation, p.parent_id, p.root_id, p.inventories, p.used, p.traits, p.aggregates, p.is_node,
  p.disabled_reason, p.zone, p.profile, p.updated_at`;

export const toFacts = (row: ProviderRow): ProviderFacts => ({
  id: row.id,
  name: row.name,
  generation: row.generation,
  parentId: row.parent_id,
  rootId: row.root_id,
  inventories: row.inventories,
  used: row.used,
  traits: row.traits,
  aggregates: row.aggregates,
  isNode: row.is_node,
  disabledReason: row.disabled_reason,
  zone: row.zone,
  profile: row.profile,
  updatedAt: row.updated_at,
});
