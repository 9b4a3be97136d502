/** Translations of addresses on a router: floating IPs both ways, everything else on its way out. */
import { parseIp } from '../address.js';
import type { Chassis } from '../chassis.js';
import { reachesNetwork } from '../chassis.js';
import type { Network, Port } from '../model.js';
import type { Router } from '../router.js';
import type { NbPlan } from './plan.js';
import { meetsAtGateway } from './router-port.js';
import { KIND, mapOf, type NbTables, ROUTER } from './rows.js';

type Nat = NbTables['NAT'];

/** What decides where a floating IP is translated. */
export interface FloatingPlace {
  readonly router: Pick<Router, 'id' | 'distributed'>;
  readonly network: Pick<Network, 'physicalNetwork'>;
  /** The port's own network. */
  readonly inside: Pick<Network, 'networkType'>;
  readonly port: Pick<Port, 'id' | 'host'>;
  readonly chassis: readonly Chassis[];
}

export interface FloatingContext extends FloatingPlace {
  /** Of the port that holds the floating address. */
  readonly ownMac: string;
}

export interface TranslatedAddress {
  readonly id: string;
  readonly address: string;
  readonly fixedAddress: string;
}

/**
 * True where the port's own node can translate: it reaches the physical network, so answers for the floating address
 * leave from there. A port that is nowhere yet, on a node unknown, or on a network that meets the router at its
 * gateway alone, is served by the router's gateway.
 */
export function isServedOnNode({ router, network, inside, port, chassis }: FloatingPlace): boolean {
  if (!router.distributed || network.physicalNetwork === null || port.host === '') return false;
  if (meetsAtGateway(inside)) return false;
  const node = chassis.find((known) => known.name === port.host || known.hostname === port.host);
  return node !== undefined && reachesNetwork(node, network.physicalNetwork);
}

/** While no node is known, it stays where it is translated: a database that starts anew must not move it. */
export const isTranslatedOnNode = (context: FloatingPlace, before: Nat | undefined): boolean =>
  (context.chassis.length === 0 && before?.logical_port === context.port.id) || isServedOnNode(context);

function floatingRow(floating: TranslatedAddress, context: FloatingContext, before: Nat | undefined): Nat {
  const onNode = isTranslatedOnNode(context, before);
  return {
    type: 'dnat_and_snat',
    external_ip: floating.address,
    external_mac: onNode ? context.ownMac : null,
    external_port_range: '',
    logical_ip: floating.fixedAddress,
    logical_port: onNode ? context.port.id : null,
    options: mapOf({}),
    external_ids: mapOf({ [KIND]: 'floatingip', [ROUTER]: context.router.id }),
  };
}

/** What goes out of a subnet under the router's own address, or null where there is nothing to translate. */
export function snatRow(router: Pick<Router, 'id'>, cidr: string, outside: string): Nat | null {
  if (cidr.includes(':') || parseIp(outside)?.version !== 4) return null;
  return {
    type: 'snat',
    external_ip: outside,
    external_mac: null,
    external_port_range: '',
    logical_ip: cidr,
    logical_port: null,
    options: mapOf({}),
    external_ids: mapOf({ [KIND]: 'snat', [ROUTER]: router.id }),
  };
}

/** Plans a floating IP that stands for an address. The router that served it before lets go of it. */
export function planFloatingIp(plan: NbPlan, floating: TranslatedAddress, context: FloatingContext): void {
  const actual = plan.actualRow('NAT', floating.id);
  plan.put('NAT', floating.id, floatingRow(floating, context, actual));
  plan.join('Logical_Router', context.router.id, 'nat', floating.id);
  const before = actual?.external_ids.get(ROUTER);
  if (before !== undefined && before !== context.router.id) plan.leave('Logical_Router', before, 'nat', floating.id);
}

/** Plans the end of what a floating IP stood for: its row vanishes when no router holds it. */
export function planFloatingIpGone(plan: NbPlan, id: string): void {
  const before = plan.actualRow('NAT', id)?.external_ids.get(ROUTER);
  if (before !== undefined) plan.leave('Logical_Router', before, 'nat', id);
}
