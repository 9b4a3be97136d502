/** The nodes as OVN's southbound database knows them. Nothing is written there, but that a dead node is forgotten. */
import { integer, type OvsdbClient, reference, text, textMap } from '#libs/platform/ovsdb';
import { type Chassis, cmsOptions, mappedNetworks } from '#services/network/domain';

export const SOUTHBOUND = {
  Chassis: { name: text, hostname: text, external_ids: textMap(), other_config: textMap() },
  Chassis_Private: { name: text, chassis: reference, nb_cfg: integer, nb_cfg_timestamp: integer },
  SB_Global: { nb_cfg: integer },
} as const;
export type SbClient = OvsdbClient<typeof SOUTHBOUND>;

/** All nodes that OVN knows, by name. */
export function chassisOf(client: Pick<SbClient, 'replica'>): Chassis[] {
  const [global] = client.replica.table('SB_Global').values();
  const reports = new Map([...client.replica.table('Chassis_Private').values()].map((row) => [row.name, row]));
  const all = [...client.replica.table('Chassis').values()].map((row): Chassis => {
    const config = (key: string): string => row.other_config.get(key) ?? row.external_ids.get(key) ?? '';
    const report = reports.get(row.name);
    const at = report?.nb_cfg_timestamp ?? 0;
    return {
      id: row._uuid,
      name: row.name,
      hostname: row.hostname,
      physicalNetworks: mappedNetworks(config('ovn-bridge-mappings')),
      bridgeMappings: config('ovn-bridge-mappings'),
      ...cmsOptions(config('ovn-cms-options')),
      heardAt: at > 0 ? new Date(at) : null,
      caughtUp: report !== undefined && report.nb_cfg >= (global?.nb_cfg ?? 0),
    };
  });
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Has OVN forget a node. One that lives comes back by itself. */
export async function forgetChassis(
  client: Pick<SbClient, 'replica' | 'ops' | 'transact'>,
  name: string,
): Promise<void> {
  const rows = (['Chassis', 'Chassis_Private'] as const).flatMap((table) =>
    [...client.replica.table(table).values()]
      .filter((row) => row.name === name)
      .map((row) => ({ table, id: row._uuid })),
  );
  if (rows.length > 0) await client.transact(rows.map(({ table, id }) => client.ops.delete(table, id)));
}
