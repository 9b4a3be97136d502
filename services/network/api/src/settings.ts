/** What an operator may set for the network service: `options` of its configuration file. */
import { type Static, type TInteger, Type } from 'typebox';
import { DEFAULT_LIMITS, RESOURCES, type Resource } from '#services/network/domain';

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
    Object.fromEntries(
      RESOURCES.map((name) => [name, Type.Integer({ minimum: -1, default: DEFAULT_LIMITS[name] })]),
    ) as Record<Resource, TInteger>,
    { default: {} },
  ),
  /** Networks outside of the cloud that nodes have bridges to, by the names of OVN's bridge mappings. */
  physicalNetworks: Type.Array(
    Type.Object({
      name: Type.String({ minLength: 1, maxLength: 64 }),
      mtu: Type.Integer({ minimum: 1280, maximum: 9216, default: 1500 }),
      /** VLAN ids that networks get which name none: `[first, last]`. */
      vlans: Type.Optional(Type.Tuple([Type.Integer({ minimum: 1 }), Type.Integer({ maximum: 4094 })])),
    }),
    { default: [] },
  ),
  /** Time between full comparisons of the books with OVN, in milliseconds. */
  reconcileMs: Type.Integer({ minimum: 1000, default: 180_000 }),
});
export type NetworkOptions = Static<typeof NetworkOptions>;
