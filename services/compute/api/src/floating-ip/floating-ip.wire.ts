/** Floating IPs as compute showed them while it had a network of its own. */
import ipaddr from 'ipaddr.js';
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { body, view } from '#libs/wire';

/** As the network service answers it. */
export interface ForeignFloatingIp {
  readonly id: string;
  readonly floating_ip_address: string;
  readonly floating_network_id: string;
  readonly fixed_ip_address: string | null;
  readonly port_id: string | null;
  readonly port_details: { readonly device_id: string } | null;
}

/** One with the name of the network that it is from. */
export interface FloatingIpRow extends ForeignFloatingIp {
  readonly pool: string;
}

export const deviceOf = (ip: ForeignFloatingIp): string | null => ip.port_details?.device_id || null;

export const floatingIpView = view<FloatingIpRow>([
  { name: 'fixed_ip', from: (ip) => ip.fixed_ip_address },
  { name: 'id', from: (ip) => ip.id },
  { name: 'instance_id', from: deviceOf },
  { name: 'ip', from: (ip) => ip.floating_ip_address },
  { name: 'pool', from: (ip) => ip.pool },
]);

export const newFloatingIpBody = body(
  Type.Object({ pool: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()])) }),
);

const shut = { additionalProperties: false } as const;
const Address = Type.String({ maxLength: 64 });
export const addBody = body(
  Type.Object({ addFloatingIp: Type.Object({ address: Address, fixed_address: Type.Optional(Address) }, shut) }, shut),
);
export const removeBody = body(Type.Object({ removeFloatingIp: Type.Object({ address: Address }, shut) }, shut));

/** Throws `invalid` for what is no address. */
export function addressIn(text: string, field: string): string {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text))
    throw fail.invalid(`Invalid input for field/attribute ${field}. Value: ${text}. It is not an IP address.`);
  return text;
}
