/** Address groups as OVN's address sets: one for each version, since a match is about one. Both are always there. */
import type { AddressGroup, Ethertype } from '../model.js';
import type { NbPlan } from './plan.js';
import { RELATION, rowId } from './row-id.js';
import { KIND, mapOf, OWNER } from './rows.js';

const SETS = [
  { ethertype: 'IPv4', relation: RELATION.addressSetV4, all: ['0.0.0.0/1', '128.0.0.0/1'] },
  { ethertype: 'IPv6', relation: RELATION.addressSetV6, all: ['::/1', '8000::/1'] },
] as const;

export const addressSetName = (groupId: string, ethertype: Ethertype): string =>
  `ag_${groupId.replaceAll('-', '_')}_${ethertype === 'IPv4' ? 'ip4' : 'ip6'}`;

/** The ids of the rows of an address group. */
export const addressSetIds = (groupId: string): string[] => SETS.map(({ relation }) => rowId(relation, groupId));

export function planAddressGroup(plan: NbPlan, group: Pick<AddressGroup, 'id' | 'projectId' | 'addresses'>): void {
  for (const { ethertype, relation, all } of SETS) {
    const own = group.addresses.filter((address) => address.includes(':') === (ethertype === 'IPv6'));
    plan.put('Address_Set', rowId(relation, group.id), {
      name: addressSetName(group.id, ethertype),
      // A prefix that is everything matches nothing in particular; its halves stay addresses that nodes add and take away.
      addresses: new Set(own.flatMap((address) => (address.endsWith('/0') ? all : [address]))),
      external_ids: mapOf({ [KIND]: 'address_group', [OWNER]: group.id, 'yagura:project': group.projectId }),
    });
  }
}

export function addressGroupGone(plan: NbPlan, groupId: string): void {
  for (const id of addressSetIds(groupId)) plan.gone('Address_Set', id);
}
