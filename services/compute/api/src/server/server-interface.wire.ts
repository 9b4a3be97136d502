/** Interfaces of a server as Nova speaks of them. */
import { Type } from 'typebox';
import type { networkV1 } from '#libs/contract';
import { body, type Field, variants, view } from '#libs/wire';
import { Uuid } from './server-create.wire.js';

export interface Attachment extends networkV1.Port {
  /** The tag that the tenant gave the interface, or null. */
  readonly interfaceTag: string | null;
}

const attachmentFields: readonly Field<Attachment>[] = [
  { name: 'port_state', from: (port) => port.status },
  {
    name: 'fixed_ips',
    from: (port) => port.fixedIps.map(({ subnetId, address }) => ({ subnet_id: subnetId, ip_address: address })),
  },
  { name: 'port_id', from: (port) => port.id },
  { name: 'net_id', from: (port) => port.networkId },
  { name: 'mac_addr', from: (port) => port.mac },
  { name: 'tag', since: '2.70', from: (port) => port.interfaceTag },
];
export const attachmentView = view(attachmentFields);

const shut = { additionalProperties: false } as const;

const address = Type.Object({ ip_address: Type.String({ minLength: 2, maxLength: 64 }) }, shut);
const wished = {
  net_id: Type.Optional(Uuid),
  port_id: Type.Optional(Uuid),
  fixed_ips: Type.Optional(Type.Array(address, { minItems: 1, maxItems: 1 })),
};
/** Words of up to 60 characters, without commas and slashes. */
const tag = Type.Optional(Type.String({ minLength: 1, maxLength: 60, pattern: '^[^,/]*$' }));
const attachment = <T extends Parameters<typeof Type.Object>[0]>(properties: T) =>
  Type.Object({ interfaceAttachment: Type.Object(properties, shut) }, shut);

export const attachBody = body(variants(['2.1', attachment(wished)], ['2.49', attachment({ ...wished, tag })]));
