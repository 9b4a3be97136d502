/** Routers on the wire. */
import { type Static, Type } from 'typebox';
import { body, type Field, view } from '#libs/wire';
import type { RouterInterface } from '#services/network/data';
import type { Router } from '#services/network/domain';
import { attributes, Flag, just, maybe, nullable, oneOrMany, standard, text } from '../values.wire.js';

const FixedIp = attributes({ subnet_id: maybe(text(64)), ip_address: maybe(text(64)) });
/** Clients clear a gateway with null or with an empty object. */
const GatewayInfo = attributes({
  network_id: nullable(text(64)),
  enable_snat: maybe(Flag),
  external_fixed_ips: nullable(Type.Array(FixedIp, { maxItems: 64 })),
  qos_policy_id: nullable(text(64)),
});
export type GatewayInfo = Static<typeof GatewayInfo>;
const ExtraRoute = attributes({ destination: text(64), nexthop: text(64) });
const ExtraRoutes = Type.Array(ExtraRoute, { maxItems: 100 });

const writable = {
  name: maybe(text()),
  description: maybe(text()),
  admin_state_up: maybe(Flag),
  distributed: nullable(Flag),
  ha: nullable(Flag),
  external_gateway_info: nullable(GatewayInfo),
};

const NewRouterBody = attributes({
  ...writable,
  project_id: maybe(text()),
  tenant_id: maybe(text()),
  availability_zone_hints: maybe(Type.Array(text(), { maxItems: 10 })),
  flavor_id: nullable(text(64)),
});
export type NewRouterBody = Static<typeof NewRouterBody>;
const RouterChangeBody = attributes({ ...writable, routes: nullable(ExtraRoutes) });
export type RouterChangeBody = Static<typeof RouterChangeBody>;
const InterfaceBody = attributes({ subnet_id: nullable(text(64)), port_id: nullable(text(64)) });
export type InterfaceBody = Static<typeof InterfaceBody>;
const RoutesBody = attributes({ routes: ExtraRoutes });
export type RoutesBody = Static<typeof RoutesBody>;

export const createRouterBody = body(oneOrMany('router', 'routers', NewRouterBody));
export const updateRouterBody = body(just('router', RouterChangeBody));
export const interfaceBody = body(InterfaceBody);
export const routesBody = body(just('router', RoutesBody));

const gatewayView = ({ gateway }: Router) =>
  gateway && {
    network_id: gateway.networkId,
    enable_snat: gateway.snat,
    external_fixed_ips: gateway.fixedIps.map((ip) => ({ subnet_id: ip.subnetId, ip_address: ip.address })),
    qos_policy_id: gateway.qosPolicyId,
  };

const FIELDS: readonly Field<Router>[] = [
  { name: 'id', from: (r) => r.id },
  { name: 'name', from: (r) => r.name },
  { name: 'tenant_id', from: (r) => r.projectId },
  { name: 'project_id', from: (r) => r.projectId },
  { name: 'description', from: (r) => r.description },
  { name: 'admin_state_up', from: (r) => r.adminStateUp },
  { name: 'status', from: () => 'ACTIVE' },
  { name: 'external_gateway_info', from: gatewayView },
  { name: 'routes', from: (r) => r.routes },
  { name: 'distributed', rule: 'get_router:distributed', from: (r) => r.distributed },
  { name: 'ha', rule: 'get_router:ha', from: (r) => r.ha },
  { name: 'availability_zone_hints', from: (r) => r.zoneHints },
  { name: 'flavor_id', from: (r) => r.flavorId },
];
const fields = view(FIELDS);

type Context = Parameters<typeof fields>[1];
/** `zones` are those of the node that the gateway is on. */
export const routerView = (router: Router, zones: readonly string[], context: Context): Record<string, unknown> => ({
  ...fields(router, context),
  availability_zones: zones,
  ...standard(router),
});

export const interfaceView = (done: RouterInterface): Record<string, unknown> => ({
  id: done.routerId,
  tenant_id: done.projectId,
  project_id: done.projectId,
  port_id: done.portId,
  network_id: done.networkId,
  subnet_id: done.subnetIds.at(-1) ?? null,
  subnet_ids: done.subnetIds,
});
