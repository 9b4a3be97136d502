/** What QoS policies say of ports. Ports themselves are the switches' business; here are their limits and marks. */
import { effectiveQos, planPortQos, planPortQosGone } from '#services/network/domain';
import { absent, type Planning, type Realizer } from './realizer.js';

export const qosRealizer: Realizer = {
  kinds: ['port'],
  // The rows are told by their port, and vanish with its switch.
  rows: [],
  plan: async (planning) => {
    await planPorts(planning);
  },
};

async function planPorts(planning: Planning): Promise<void> {
  const { books, on, plan } = planning;
  const ports = await books.ports.findMany(on, planning.ids('port'));
  const policyOf = new Map(ports.map((port) => [port.id, effectiveQos(port, port.networkQosPolicyId)]));
  const policies = [...new Set(policyOf.values())].filter((id) => id !== null);
  const rules = await books.qosPolicies.rulesOf(on, policies);
  for (const { id, networkId } of ports) {
    planPortQos(plan, { id, networkId, rules: rules.get(policyOf.get(id) ?? '') ?? [] });
  }
  for (const id of absent(planning, 'port', ports)) planPortQosGone(plan, id);
}
