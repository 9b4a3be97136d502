/** What users lose together with groups: the assignments that they had through them, as revocations. */
import type { Tx } from '#libs/platform/db';
import { type RevocationDraft, type RoleGraph, unassigned } from '#services/identity/domain';

interface LossRow {
  user_id: string;
  role_id: string;
  target_id: string | null;
  inherited: boolean;
  is_domain: boolean;
}

/** `condition` is SQL of ours over the groups `g` and their members `m`. */
export async function lossesOfGroups(
  tx: Tx,
  graph: RoleGraph,
  condition: string,
  params: readonly unknown[],
): Promise<readonly RevocationDraft[]> {
  const rows = await tx.query<LossRow>(
    `select m.user_id, a.role_id, a.target_id, a.inherited, coalesce(t.is_domain, false) as is_domain
     from groups g join group_members m on m.group_id = g.id join assignments a on a.group_id = g.id
       left join projects t on t.id = a.target_id
     where ${condition}`,
    params,
  );
  return rows.flatMap((row) =>
    unassigned(
      { roleId: row.role_id, targetId: row.target_id ?? undefined, inherited: row.inherited },
      row.user_id,
      row.is_domain,
      graph,
    ),
  );
}
