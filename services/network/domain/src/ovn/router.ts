/** A router with all that belongs to it, as rows of OVN: legs, gateways, routes and translations. */
import type { Chassis } from '../chassis.js';
import { GATEWAY_OWNER } from '../device-owner.js';
import type { Network, Port, Subnet } from '../model.js';
import type { Router } from '../router.js';
import { gatewaysOf } from './gateway.js';
import { type FloatingContext, planFloatingIp, snatRow, type TranslatedAddress } from './nat.js';
import type { NbPlan } from './plan.js';
import { type ForwardedIp, planForwarding } from './port-forwarding.js';
import { meetsAtGateway, routerPortName, routerPortRow, routerPortRowId } from './router-port.js';
import { RELATION, rowId } from './row-id.js';
import { KIND, mapOf, type NbTables, ROUTER } from './rows.js';

export interface RouterSurroundings {
  /** The ports of the router: its legs and its gateway. */
  readonly ports: readonly Port[];
  readonly networks: ReadonlyMap<string, Network>;
  /** At least those that the router is in. */
  readonly subnets: readonly Subnet[];
  readonly floating: readonly { readonly ip: TranslatedAddress; readonly context: FloatingContext }[];
  readonly forwarded: readonly ForwardedIp[];
  readonly chassis: readonly Chassis[];
  /** True for a subnet whose addresses are known outside as they are, so none is translated. */
  readonly isKnownOutside: (subnet: Subnet) => boolean;
}

const routerRow = (router: Router): NbTables['Logical_Router'] => ({
  name: `router_${router.id}`,
  enabled: router.adminStateUp,
  options: mapOf({
    'requested-tnl-key': String(router.tunnelKey),
    // Neighbours are learnt from answers to what was asked, and not by every router at once.
    always_learn_from_arp_request: 'false',
    dynamic_neigh_routers: 'true',
    mcast_relay: 'false',
  }),
  external_ids: mapOf({ [KIND]: 'router', 'yagura:project': router.projectId }),
});

export function planRouter(plan: NbPlan, router: Router, around: RouterSurroundings): void {
  plan.put('Logical_Router', router.id, routerRow(router));
  const gateway = around.ports.find((port) => port.deviceOwner === GATEWAY_OWNER);
  planPorts(plan, router, around, gateway);
  planRoutes(plan, router, around, gateway);
  planNat(plan, router, around, gateway);
  planForwardings(plan, router, around);
}

/** OVN drops what only the router held, and lets go of its switches' ports by itself. */
export function planRouterGone(plan: NbPlan, id: string): void {
  plan.gone('Logical_Router', id);
}

function planPorts(plan: NbPlan, router: Router, around: RouterSurroundings, gateway: Port | undefined): void {
  const wanted = new Set<string>();
  for (const port of around.ports) {
    const network = around.networks.get(port.networkId);
    if (!network) continue;
    const id = routerPortRowId(port.id);
    const central = gateway !== undefined && meetsAtGateway(network);
    const context = { routerId: router.id, network, subnets: around.subnets, central };
    plan.put('Logical_Router_Port', id, routerPortRow(port, context)).join('Logical_Router', router.id, 'ports', id);
    if (port === gateway) planGateways(plan, router, port, network, around.chassis);
    wanted.add(id);
  }
  plan.retain('Logical_Router', router.id, 'ports', wanted);
}

/** While no node is known, OVN keeps the gateways that it has: a database that starts anew must not cut anyone off. */
function planGateways(plan: NbPlan, router: Router, port: Port, network: Network, chassis: readonly Chassis[]): void {
  const names = gatewaysOf(router, chassis, network.physicalNetwork);
  if (names.length === 0) return;
  const holder = routerPortRowId(port.id);
  const wanted = new Set<string>();
  for (const [rank, name] of names.entries()) {
    const id = rowId(RELATION.gatewayChassis, port.id, name);
    const row = {
      name: `${routerPortName(port.id)}_${name}`,
      chassis_name: name,
      priority: names.length - rank,
      external_ids: mapOf({ [KIND]: 'gateway_chassis', [ROUTER]: router.id }),
    };
    plan.put('Gateway_Chassis', id, row).join('Logical_Router_Port', holder, 'gateway_chassis', id);
    wanted.add(id);
  }
  plan.retain('Logical_Router_Port', holder, 'gateway_chassis', wanted);
}

function planRoutes(plan: NbPlan, router: Router, around: RouterSurroundings, gateway: Port | undefined): void {
  const wanted = new Set<string>();
  const put = (id: string, prefix: string, nexthop: string, through: Port | undefined): void => {
    const row = {
      ip_prefix: prefix,
      nexthop,
      output_port: through ? routerPortName(through.id) : null,
      policy: null,
      external_ids: mapOf({ [KIND]: 'route', [ROUTER]: router.id }),
    };
    plan.put('Logical_Router_Static_Route', id, row).join('Logical_Router', router.id, 'static_routes', id);
    wanted.add(id);
  };
  for (const ip of gateway?.fixedIps ?? []) {
    const subnet = around.subnets.find((known) => known.id === ip.subnetId);
    if (subnet?.gateway == null) continue;
    const prefix = subnet.version === 4 ? '0.0.0.0/0' : '::/0';
    put(rowId(RELATION.defaultRoute, router.id, subnet.id), prefix, subnet.gateway, gateway);
  }
  for (const { destination, nexthop } of router.routes)
    put(rowId(RELATION.staticRoute, router.id, `${destination} ${nexthop}`), destination, nexthop, undefined);
  plan.retain('Logical_Router', router.id, 'static_routes', wanted);
}

function planNat(plan: NbPlan, router: Router, around: RouterSurroundings, gateway: Port | undefined): void {
  const wanted = new Set<string>();
  const outside = gateway?.fixedIps.find((ip) => !ip.address.includes(':'))?.address;
  if (outside !== undefined && router.gateway?.snat) {
    for (const subnet of innerSubnets(around)) {
      const row = around.isKnownOutside(subnet) ? null : snatRow(router, subnet.cidr, outside);
      if (!row) continue;
      const id = rowId(RELATION.snat, router.id, subnet.id);
      plan.put('NAT', id, row).join('Logical_Router', router.id, 'nat', id);
      wanted.add(id);
    }
  }
  for (const { ip, context } of around.floating) {
    planFloatingIp(plan, ip, context);
    wanted.add(ip.id);
  }
  plan.retain('Logical_Router', router.id, 'nat', wanted);
}

function planForwardings(plan: NbPlan, router: Router, { forwarded }: RouterSurroundings): void {
  for (const each of forwarded) planForwarding(plan, each, router.id);
  const wanted = new Set(forwarded.map(({ forwarding }) => forwarding.id));
  plan.retain('Logical_Router', router.id, 'load_balancer', wanted);
}

function innerSubnets({ ports, subnets }: RouterSurroundings): Subnet[] {
  const ids = new Set(
    ports
      .filter((port) => port.deviceOwner !== GATEWAY_OWNER)
      .flatMap((port) => port.fixedIps.map((ip) => ip.subnetId)),
  );
  return subnets.filter((subnet) => ids.has(subnet.id));
}
