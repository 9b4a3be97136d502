/**
 * What QoS policies say of ports, floating IPs and the gateways of routers. Those themselves are the switches' and routers' business; here are
 * their limits and marks, which stand on the switch of a network.
 */
import {
  effectiveQos,
  type FloatingIp,
  isTranslatedOnNode,
  type LimitedFloatingIp,
  type Network,
  planFloatingQos,
  planFloatingQosGone,
  planGatewayQos,
  planGatewayQosGone,
  planPortQos,
  planPortQosGone,
  type QosRuleShape,
  type Router,
  routerPortName,
} from '#services/network/domain';
import { absent, type Planning, type Realizer } from './realizer.js';

export const qosRealizer: Realizer = {
  kinds: ['port', 'router', 'floatingip'],
  rows: [
    { kind: 'port', table: 'QoS', marks: ['port_qos'], byOwner: true },
    { kind: 'floatingip', table: 'QoS', marks: ['floatingip_qos'], byOwner: true },
    { kind: 'router', table: 'QoS', marks: ['router_qos'], byOwner: true },
  ],
  plan: async (planning) => {
    await planPorts(planning);
    await planFloating(planning);
    await planGateways(planning);
  },
};

const present = (ids: readonly (string | null)[]): string[] => [...new Set(ids)].filter((id) => id !== null);
const byId = <T extends { readonly id: string }>(rows: readonly T[]): ReadonlyMap<string, T> =>
  new Map(rows.map((row) => [row.id, row]));

async function planPorts(planning: Planning): Promise<void> {
  const { books, on, plan } = planning;
  const ports = await books.ports.findMany(on, planning.ids('port'));
  const policyOf = new Map(ports.map((port) => [port.id, effectiveQos(port, port.networkQosPolicyId)]));
  const rules = await books.qosPolicies.rulesOf(on, present([...policyOf.values()]));
  for (const { id, networkId } of ports) {
    planPortQos(plan, { id, networkId, rules: rules.get(policyOf.get(id) ?? '') ?? [] });
  }
  for (const id of absent(planning, 'port', ports)) planPortQosGone(plan, id);
}

/** A router that changed may have another gateway, or be elsewhere; so its floating IPs are looked at too. */
async function planFloating(planning: Planning): Promise<void> {
  const { books, on, plan, ids } = planning;
  const marked = await books.floatingIps.findMany(on, ids('floatingip'));
  const ofRouters = await books.floatingIps.ofRouters(on, ids('router'));
  const floating = [...byId([...marked, ...ofRouters]).values()];
  const policyOf = (ip: FloatingIp): string | null => ip.qosPolicyId ?? ip.networkQosPolicyId;
  const rules = await books.qosPolicies.rulesOf(on, present(floating.map(policyOf)));
  const rulesOf = (ip: FloatingIp): readonly QosRuleShape[] => rules.get(policyOf(ip) ?? '') ?? [];
  const places = await placesOf(
    planning,
    floating.filter((ip) => ip.routerId !== null && rulesOf(ip).length > 0),
  );
  for (const ip of floating) {
    const place = places.get(ip.id);
    if (place) planFloatingQos(plan, { ...place, rules: rulesOf(ip) });
    else planFloatingQosGone(plan, ip.id);
  }
  for (const id of absent(planning, 'floatingip', marked)) planFloatingQosGone(plan, id);
}

async function planGateways(planning: Planning): Promise<void> {
  const { books, on, plan, actual, ids } = planning;
  const routers = await books.routers.findMany(on, ids('router'));
  const rules = await books.qosPolicies.rulesOf(
    on,
    present(routers.map(({ gateway }) => gateway?.qosPolicyId ?? null)),
  );
  const limited = routers.filter(({ gateway }) => rules.has(gateway?.qosPolicyId ?? ''));
  const networks = await books.networks.findMany(on, present(limited.map(({ gateway }) => gateway!.networkId)));
  for (const network of networks) if (!actual.row('Logical_Switch', network.id)) plan.network(network);
  for (const { id, gateway } of routers) {
    const own = rules.get(gateway?.qosPolicyId ?? '');
    if (gateway && own) planGatewayQos(plan, { id, networkId: gateway.networkId, portId: gateway.portId, rules: own });
    else planGatewayQosGone(plan, id);
  }
  for (const id of absent(planning, 'router', routers)) planGatewayQosGone(plan, id);
}

type Place = Omit<LimitedFloatingIp, 'rules'>;

/** Where the floating IPs are translated. */
async function placesOf(
  { books, on, actual, plan, options }: Planning,
  limited: readonly FloatingIp[],
): Promise<ReadonlyMap<string, Place>> {
  if (limited.length === 0) return new Map();
  const routers = byId(await books.routers.findMany(on, present(limited.map((ip) => ip.routerId))));
  const ports = byId(await books.ports.findMany(on, present(limited.map((ip) => ip.portId))));
  const inside = byId(await books.networks.findMany(on, present([...ports.values()].map((port) => port.networkId))));
  const networks = byId(await books.networks.findMany(on, present(limited.map((ip) => ip.networkId))));
  for (const network of networks.values()) if (!actual.row('Logical_Switch', network.id)) plan.network(network);
  const chassis = options.chassis();
  const onNode = (ip: FloatingIp, router: Router, network: Network): boolean => {
    const port = ports.get(ip.portId ?? '');
    const own = inside.get(port?.networkId ?? '');
    if (!port || !own) return false;
    return isTranslatedOnNode({ router, network, inside: own, port, chassis }, actual.row('NAT', ip.id));
  };
  const found = limited.flatMap((ip): Place[] => {
    const router = routers.get(ip.routerId ?? '');
    const network = networks.get(ip.networkId);
    if (!router?.gateway || !network) return [];
    const gatewayPortId = router.gateway.portId;
    const central = `cr-${routerPortName(gatewayPortId)}`;
    const residentPort = onNode(ip, router, network) ? (ip.portId ?? central) : central;
    return [{ id: ip.id, networkId: ip.networkId, address: ip.address, gatewayPortId, residentPort }];
  });
  return byId(found);
}
