/** From `external_gateway_info` to the gateway that a router shall have. */
import { isUuid } from '#libs/kernel';
import { type GatewayWish, notExternal } from '#services/network/data';
import { badAttribute, isVisible, networkNotFound, type Router, type RouterGateway } from '#services/network/domain';
import type { NetworkParts } from '../parts.js';
import { changedQosPolicy } from '../qos-policy/qos-policy.use.js';
import { type AnyCall, demand, mayKnow } from '../scope.js';
import { isOn } from '../values.wire.js';
import type { GatewayInfo } from './router.wire.js';

/** Undefined: the client did not say. Null: none. A tenant may use what is external to it, but not choose addresses. */
export async function readGateway(
  parts: NetworkParts,
  call: AnyCall,
  info: GatewayInfo | null | undefined,
  verb: 'create' | 'update',
  target: Pick<Router, 'projectId'> & { readonly gateway: RouterGateway | null },
): Promise<GatewayWish | null | undefined> {
  if (info === undefined) return undefined;
  if (info === null || Object.keys(info).length === 0) return null;
  const need = (attribute: string): void => demand(call, `${verb}_router:external_gateway_info:${attribute}`, target);
  if (info.enable_snat !== undefined) need('enable_snat');
  if (info.external_fixed_ips?.length) need('external_fixed_ips');
  const id = info.network_id;
  if (id == null) throw badAttribute('external_gateway_info', 'network_id is needed.');
  const { books } = parts;
  const network = isUuid(id) ? await books.networks.find(books.db, id) : undefined;
  const known = network && (isVisible(network, call.who.projectId) || mayKnow(call.who, network.projectId));
  if (!network || !known) throw networkNotFound(id);
  const standing = target.gateway?.networkId === network.id ? target.gateway.qosPolicyId : null;
  if (!network.external) throw notExternal(network.id);
  return {
    network,
    subnets: await books.subnets.ofNetworks(books.db, [network.id]),
    snat: isOn(info.enable_snat) ?? true,
    qosPolicyId: await changedQosPolicy(parts, call, info.qos_policy_id, standing),
    wishes: info.external_fixed_ips?.length
      ? info.external_fixed_ips.map((ip) => ({ subnetId: ip.subnet_id, address: ip.ip_address }))
      : undefined,
    newPortId: parts.ids.uuid(),
  };
}
