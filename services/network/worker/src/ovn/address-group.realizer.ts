/** Address groups: the address sets that rules match by. */
import { addressGroupGone, addressSetIds, planAddressGroup, type SecurityGroup } from '#services/network/domain';
import { absent, type Planning, type Realizer } from './realizer.js';

export const addressGroupRealizer: Realizer = {
  kinds: ['address_group'],
  rows: [{ kind: 'address_group', table: 'Address_Set', marks: ['address_group'], byOwner: true }],
  plan: async (planning) => {
    const { books, on, plan, ids } = planning;
    const groups = await books.addressGroups.findMany(on, ids('address_group'));
    for (const group of groups) planAddressGroup(plan, group);
    for (const id of absent(planning, 'address_group', groups)) addressGroupGone(plan, id);
  },
};

/** Plans the address groups that rules name and OVN lacks: a match by an unknown set is none. */
export async function planNamedAddressGroups(planning: Planning, groups: readonly SecurityGroup[]): Promise<void> {
  const { books, on, actual, plan } = planning;
  const named = new Set(groups.flatMap((group) => group.rules.flatMap((rule) => rule.remoteAddressGroupId ?? [])));
  const lacking = [...named].filter((id) => addressSetIds(id).some((row) => !actual.row('Address_Set', row)));
  for (const group of await books.addressGroups.findMany(on, lacking)) planAddressGroup(plan, group);
}
