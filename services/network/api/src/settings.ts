/** What an operator may set for the network service: `options` of its configuration file. */
import { type Static, Type } from 'typebox';

export const NetworkOptions = Type.Object({
  /** OVN's databases, in OVSDB's notation: `tcp:HOST:PORT`, several separated by commas. */
  ovnNb: Type.String({ minLength: 5 }),
  ovnSb: Type.Optional(Type.String()),
  /** The largest MTU of tenants' networks: the fabric's less the tunnel's headers. */
  mtu: Type.Integer({ minimum: 1280, maximum: 9158, default: 1442 }),
  /** Nameservers for subnets that name none. */
  dnsServers: Type.Array(Type.String(), { default: [] }),
  /** Limits of projects that have none of their own; -1 for no limit. */
  quotas: Type.Object(
    {
      network: Type.Integer({ minimum: -1, default: 100 }),
      subnet: Type.Integer({ minimum: -1, default: 500 }),
      port: Type.Integer({ minimum: -1, default: 500 }),
      security_group: Type.Integer({ minimum: -1, default: 10 }),
      security_group_rule: Type.Integer({ minimum: -1, default: 100 }),
    },
    { default: {} },
  ),
  /** Time between full comparisons of the books with OVN, in milliseconds. */
  reconcileMs: Type.Integer({ minimum: 1000, default: 180_000 }),
});
export type NetworkOptions = Static<typeof NetworkOptions>;
