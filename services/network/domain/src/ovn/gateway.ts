/**
 * On which nodes a router has its way out. Each node draws a lot for each router (rendezvous hashing): the best few are
 * its gateways in that order, so routers spread over the nodes, and when a node comes or goes only those routers move
 * that were or will be on it.
 */
import { type Chassis, gatewaysTo } from '../chassis.js';
import type { Router } from '../router.js';

/** OVN watches each pair of gateways, so a few must do. */
const MOST_GATEWAYS = 5;

/** FNV-1a with a last stir, so that names which differ only at their end draw lots far apart. */
function lot(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Those in the zones that the router asks for, as far as there are any. */
function inZones(all: readonly Chassis[], hints: readonly string[]): readonly Chassis[] {
  const near = all.filter((chassis) => chassis.zones.some((zone) => hints.includes(zone)));
  return near.length > 0 ? near : all;
}

/** The names of the router's gateways, the one in charge first; none where no node is known. */
export function gatewaysOf(
  router: Pick<Router, 'id' | 'ha' | 'zoneHints'>,
  all: readonly Chassis[],
  physicalNetwork: string | null,
): string[] {
  const able = gatewaysTo(inZones(all, router.zoneHints), physicalNetwork);
  const ranked = able
    .map((name) => ({ name, lot: lot(`${router.id} ${name}`) }))
    .sort((a, b) => b.lot - a.lot || (a.name < b.name ? -1 : 1));
  return ranked.slice(0, router.ha ? MOST_GATEWAYS : 1).map(({ name }) => name);
}
