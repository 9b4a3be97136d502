import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { FORWARDING_FIELDS, type WantedForwarding } from '#services/network/data';
import {
  badPortForwarding,
  canonicalIp,
  checkPorts,
  type FloatingIp,
  type ForwardedProtocol,
  forwardingNotFound,
  type PortForwarding,
  readPorts,
} from '#services/network/domain';
import { checkTargetPort, loadFloatingIp } from '../floating-ip/floating-ip.access.js';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf } from '../scope.js';
import { toNumber } from '../values.wire.js';
import { type ForwardingChangeBody, forwardingView, type NewForwardingBody } from './port-forwarding.wire.js';

@Injectable()
export class PortForwardingHandlers {
  constructor(private readonly parts: NetworkParts) {}

  load(call: AnyCall): Promise<FloatingIp> {
    return loadFloatingIp(this.parts, call);
  }

  async create(call: AnyCall, floating: FloatingIp): Promise<Reply> {
    const { port_forwarding: item } = call.body as { port_forwarding: NewForwardingBody };
    const { books, ids } = this.parts;
    await checkTargetPort(this.parts, call, item.internal_port_id, floating.projectId);
    const made = await books.forwardingStore.create(floating.id, ids.uuid(), wanted(item), this.parts.now());
    return { body: { port_forwarding: forwardingView(made) } };
  }

  async list(call: AnyCall, floating: FloatingIp): Promise<Reply> {
    const request = readList(call.query, FORWARDING_FIELDS);
    const { books } = this.parts;
    const page = await books.forwardings.list(books.db, floating.id, request);
    return { body: listBody('port_forwardings', page, request, call, forwardingView) };
  }

  async show(call: AnyCall, floating: FloatingIp): Promise<Reply> {
    const { fields } = readList(call.query, FORWARDING_FIELDS);
    const { books } = this.parts;
    const id = forwardingId(call);
    const found = await books.forwardings.find(books.db, floating.id, id);
    if (!found) throw forwardingNotFound(id);
    return { body: { port_forwarding: pick(forwardingView(found), fields) } };
  }

  async update(call: AnyCall, floating: FloatingIp): Promise<Reply> {
    const { port_forwarding: item } = call.body as { port_forwarding: ForwardingChangeBody };
    if (item.internal_port_id !== undefined)
      await checkTargetPort(this.parts, call, item.internal_port_id, floating.projectId);
    const decide = (before: PortForwarding) => wanted(item, before);
    const { forwardingStore } = this.parts.books;
    const after = await forwardingStore.update(floating.id, forwardingId(call), decide, this.parts.now());
    return { body: { port_forwarding: forwardingView(after) } };
  }

  async remove(call: AnyCall, floating: FloatingIp): Promise<Reply> {
    await this.parts.books.forwardingStore.delete(floating.id, forwardingId(call), this.parts.now());
    return {};
  }
}

const forwardingId = (call: AnyCall): string => idOf(call, forwardingNotFound, 'forwarding');

/** What is asked for; what an update leaves out stays as it was. Another port has another address. */
function wanted(item: ForwardingChangeBody, before?: PortForwarding): WantedForwarding {
  const internal = readPorts('internal', toNumber(item.internal_port), item.internal_port_range) ?? before?.internal;
  const external = readPorts('external', toNumber(item.external_port), item.external_port_range) ?? before?.external;
  if (!internal || !external) throw badPortForwarding('Both internal and external ports must be specified');
  checkPorts(internal, external);
  const portId = item.internal_port_id?.toLowerCase() ?? before?.portId ?? '';
  const stays = before?.portId === portId ? before.internalAddress : undefined;
  const address = item.internal_ip_address;
  return {
    protocol: (item.protocol?.toLowerCase() ?? before?.protocol) as ForwardedProtocol,
    portId,
    internalAddress: address == null ? stays : (canonicalIp(address) ?? address),
    internal,
    external,
    description: item.description ?? before?.description ?? '',
  };
}
