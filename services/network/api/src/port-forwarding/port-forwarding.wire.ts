/** Port forwardings on the wire, by themselves and within their floating IP. */
import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import type { PortForwarding, PortRange } from '#services/network/domain';
import { attributes, just, maybe, nullable, text, Whole } from '../values.wire.js';

const Protocol = Type.Unsafe<string>({ enum: ['tcp', 'udp', 'TCP', 'UDP'] });
const Range = Type.String({ pattern: '^[0-9]{1,5}(:[0-9]{1,5})?$' });

const ports = {
  internal_port: nullable(Whole),
  internal_port_range: nullable(Range),
  external_port: nullable(Whole),
  external_port_range: nullable(Range),
  internal_ip_address: nullable(text(64)),
  description: maybe(text()),
};

const NewForwardingBody = attributes({ ...ports, protocol: Protocol, internal_port_id: text(64) });
export type NewForwardingBody = Static<typeof NewForwardingBody>;
const ForwardingChangeBody = attributes({ ...ports, protocol: maybe(Protocol), internal_port_id: maybe(text(64)) });
export type ForwardingChangeBody = Static<typeof ForwardingChangeBody>;

export const createForwardingBody = body(just('port_forwarding', NewForwardingBody));
export const updateForwardingBody = body(just('port_forwarding', ForwardingChangeBody));

/** A range of one port is shown as that port, too. */
const only = (range: PortRange): number | null => (range.first === range.last ? range.first : null);
const span = (range: PortRange): string => `${range.first}:${range.last}`;

export const forwardingView = (forwarding: PortForwarding): Record<string, unknown> => ({
  id: forwarding.id,
  protocol: forwarding.protocol,
  internal_port_id: forwarding.portId,
  internal_ip_address: forwarding.internalAddress,
  internal_port: only(forwarding.internal),
  internal_port_range: span(forwarding.internal),
  external_port: only(forwarding.external),
  external_port_range: span(forwarding.external),
  description: forwarding.description,
});
