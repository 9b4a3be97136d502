/** A port forwarding as a load balancer of its router, with one back end for each outer port. */
import { type PortForwarding, pairsOf } from '../port-forwarding.js';
import type { NbPlan } from './plan.js';
import { KIND, mapOf, type NbTables, ROUTER } from './rows.js';

export interface ForwardedIp {
  readonly forwarding: PortForwarding;
  /** The floating address. */
  readonly address: string;
}

const balancerRow = ({ forwarding, address }: ForwardedIp, routerId: string): NbTables['Load_Balancer'] => ({
  name: `forward_${forwarding.id}`,
  vips: new Map(
    pairsOf(forwarding).map(([outer, inner]) => [`${address}:${outer}`, `${forwarding.internalAddress}:${inner}`]),
  ),
  protocol: forwarding.protocol,
  options: mapOf({}),
  external_ids: mapOf({ [KIND]: 'port_forwarding', [ROUTER]: routerId }),
});

/** Plans a forwarding on the router that leads to its host. The router that had it before lets go of it. */
export function planForwarding(plan: NbPlan, forwarded: ForwardedIp, routerId: string): void {
  const { id } = forwarded.forwarding;
  const before = plan.actualRow('Load_Balancer', id)?.external_ids.get(ROUTER);
  plan.put('Load_Balancer', id, balancerRow(forwarded, routerId));
  plan.join('Logical_Router', routerId, 'load_balancer', id);
  if (before !== undefined && before !== routerId) plan.leave('Logical_Router', before, 'load_balancer', id);
}

/** Plans the end of a forwarding: its router lets go of it by itself. */
export function planForwardingGone(plan: NbPlan, id: string): void {
  plan.gone('Load_Balancer', id);
}
