/** Routers and floating IPs. A router is planned with all that belongs to it; a floating IP alone where its router stands. */
import type { PortOnNetwork } from '#services/network/data';
import {
  type FloatingContext,
  type FloatingIp,
  type Network,
  type PortForwarding,
  planFloatingIp,
  planFloatingIpGone,
  planForwarding,
  planForwardingGone,
  planRouter,
  planRouterGone,
  type Router,
  type Subnet,
} from '#services/network/domain';
import { absent, type Planning, type Realizer } from './realizer.js';

export const routerRealizer: Realizer = {
  kinds: ['router', 'floatingip', 'port_forwarding'],
  rows: [
    { kind: 'router', table: 'Logical_Router', marks: ['router'] },
    { kind: 'floatingip', table: 'NAT', marks: ['floatingip'] },
    { kind: 'port_forwarding', table: 'Load_Balancer', marks: ['port_forwarding'] },
  ],
  plan: async (planning) => {
    const loaded = await load(planning);
    for (const router of loaded.routers) planOne(planning, loaded, router);
    planFloating(planning, loaded);
    planForwardings(planning, loaded);
    for (const id of absent(planning, 'router', loaded.routers)) planRouterGone(planning.plan, id);
  },
};

interface Loaded {
  /** The marked ones, and those that OVN lacks and a marked floating IP stands on. */
  readonly routers: readonly Router[];
  /** Routers of marked floating IPs that OVN has already. */
  readonly standing: ReadonlyMap<string, Router>;
  readonly floating: readonly FloatingIp[];
  readonly marked: readonly FloatingIp[];
  /** The marked ones, with their floating IPs, and those of all that is planned here. */
  readonly forwardings: readonly PortForwarding[];
  readonly forwarding: ReadonlyMap<string, FloatingIp>;
  readonly ports: readonly PortOnNetwork[];
  readonly portById: ReadonlyMap<string, PortOnNetwork>;
  readonly networks: ReadonlyMap<string, Network>;
  readonly subnets: readonly Subnet[];
}

const byId = <T extends { readonly id: string }>(rows: readonly T[]): ReadonlyMap<string, T> =>
  new Map(rows.map((row) => [row.id, row]));
const unique = (ids: readonly (string | null)[]): string[] => [...new Set(ids.filter((id) => id !== null))];

async function load(planning: Planning): Promise<Loaded> {
  const { books, on, actual, ids } = planning;
  const marked = await books.floatingIps.findMany(on, ids('floatingip'));
  const markedForwardings = await books.forwardings.findMany(on, ids('port_forwarding'));
  const forwarding = await books.floatingIps.findMany(on, unique(markedForwardings.map((each) => each.floatingIpId)));
  const around = unique([...marked, ...forwarding].map((floating) => floating.routerId));
  const found = await books.routers.findMany(on, unique([...ids('router'), ...around]));
  const wanted = new Set(ids('router'));
  const isPlanned = ({ id }: Router): boolean => wanted.has(id) || !actual.row('Logical_Router', id);
  const routers = found.filter(isPlanned);
  const routerIds = routers.map((router) => router.id);
  const floating = await books.floatingIps.ofRouters(on, routerIds);
  const ofRouters = await books.forwardings.ofFloatingIps(on, unique(floating.map((ip) => ip.id)));
  const ports = routerIds.length > 0 ? await books.ports.ofDevices(on, routerIds) : [];
  const served = await books.ports.findMany(
    on,
    unique([...floating, ...marked].flatMap((ip) => [ip.ownPortId, ip.portId])),
  );
  const networkIds = unique([
    ...[...ports, ...served].map((port) => port.networkId),
    ...[...floating, ...marked].map((ip) => ip.networkId),
  ]);
  return {
    routers,
    standing: byId(found.filter((router) => !isPlanned(router))),
    floating,
    marked,
    forwardings: [...byId([...markedForwardings, ...ofRouters]).values()],
    forwarding: byId([...forwarding, ...floating]),
    ports,
    portById: byId(served),
    networks: byId(await books.networks.findMany(on, networkIds)),
    subnets: await books.subnets.findMany(on, unique(ports.flatMap((port) => port.fixedIps.map((ip) => ip.subnetId)))),
  };
}

function planOne({ plan, options }: Planning, loaded: Loaded, router: Router): void {
  const floating = loaded.floating
    .filter((ip) => ip.routerId === router.id)
    .flatMap((ip) => {
      const service = serviceOf(ip, router, loaded, options);
      return service ? [service] : [];
    });
  planRouter(plan, router, {
    ports: loaded.ports.filter((port) => port.deviceId === router.id),
    networks: loaded.networks,
    subnets: loaded.subnets,
    floating,
    chassis: options.chassis(),
    forwarded: loaded.forwardings.flatMap((forwarding) => {
      const ip = loaded.forwarding.get(forwarding.floatingIpId);
      return ip?.routerId === router.id ? [{ forwarding, address: ip.address }] : [];
    }),
    isKnownOutside: sameScope(router, loaded),
  });
}

/** Addresses of one scope never meet twice, so within it they stay as they are. */
function sameScope({ gateway }: Router, { networks }: Loaded): (subnet: Subnet) => boolean {
  const outside = networks.get(gateway?.networkId ?? '')?.ipv4ScopeId ?? null;
  return (subnet) => outside !== null && networks.get(subnet.networkId)?.ipv4ScopeId === outside;
}

function planFloating({ plan, options, ids }: Planning, loaded: Loaded): void {
  const known = byId(loaded.marked);
  for (const id of ids('floatingip')) {
    const floating = known.get(id);
    const router = loaded.standing.get(floating?.routerId ?? '');
    const service = floating && router ? serviceOf(floating, router, loaded, options) : undefined;
    if (service) planFloatingIp(plan, service.ip, service.context);
    else if (!floating || floating.portId === null) planFloatingIpGone(plan, id);
  }
}

/** Forwardings of routers that OVN has already; others were planned with their router. */
function planForwardings({ plan, ids }: Planning, loaded: Loaded): void {
  const known = byId(loaded.forwardings);
  for (const id of ids('port_forwarding')) {
    const forwarding = known.get(id);
    const ip = loaded.forwarding.get(forwarding?.floatingIpId ?? '');
    if (!forwarding || !ip?.routerId) planForwardingGone(plan, id);
    else if (loaded.standing.has(ip.routerId)) planForwarding(plan, { forwarding, address: ip.address }, ip.routerId);
  }
}

/** What a floating IP stands for, with all that its translation needs; undefined where it stands for no port. */
function serviceOf(
  ip: FloatingIp,
  router: Router,
  loaded: Loaded,
  options: Planning['options'],
): { readonly ip: FloatingIp & { readonly fixedAddress: string }; readonly context: FloatingContext } | undefined {
  const port = loaded.portById.get(ip.portId ?? '');
  const own = loaded.portById.get(ip.ownPortId);
  const network = loaded.networks.get(ip.networkId);
  const inside = loaded.networks.get(port?.networkId ?? '');
  if (!port || !own || !network || !inside || ip.fixedAddress === null) return undefined;
  const context = { router, network, inside, ownMac: own.mac, port, chassis: options.chassis() };
  return { ip: { ...ip, fixedAddress: ip.fixedAddress }, context };
}
