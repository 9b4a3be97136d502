/** The nodes as OVN's southbound database knows them. It is read here, never written. */
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
  const heard = new Map<string, number>();
  for (const row of client.replica.table('Chassis_Private').values()) heard.set(row.name, row.nb_cfg_timestamp);
  const all = [...client.replica.table('Chassis').values()].map((row): Chassis => {
    const config = (key: string): string => row.other_config.get(key) ?? row.external_ids.get(key) ?? '';
    const at = heard.get(row.name) ?? 0;
    return {
      id: row._uuid,
      name: row.name,
      hostname: row.hostname,
      physicalNetworks: mappedNetworks(config('ovn-bridge-mappings')),
      ...cmsOptions(config('ovn-cms-options')),
      heardAt: at > 0 ? new Date(at) : null,
    };
  });
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}
