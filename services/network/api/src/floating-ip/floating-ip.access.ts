/** Which floating IPs a caller may know of, and which ports these may lead to. */
import { isUuid } from '#libs/kernel';
import { badFloatingIp, type FloatingIp, floatingIpNotFound, portNotFound } from '#services/network/domain';
import type { NetworkParts } from '../parts.js';
import { type AnyCall, idOf, isAdmin, mayKnow } from '../scope.js';

/** The floating IP in the path. */
export async function loadFloatingIp({ books }: NetworkParts, call: AnyCall): Promise<FloatingIp> {
  const id = idOf(call, floatingIpNotFound);
  const floating = await books.floatingIps.find(books.db, id);
  if (!floating || !mayKnow(call.who, floating.projectId)) throw floatingIpNotFound(id);
  return floating;
}

/** Throws unless the port is one that the caller knows, and of the floating IP's project. */
export async function checkTargetPort(
  { books }: NetworkParts,
  call: AnyCall,
  id: string,
  projectId: string,
): Promise<void> {
  const port = isUuid(id) ? await books.ports.find(books.db, id) : undefined;
  if (!port || !mayKnow(call.who, port.projectId, port.networkProjectId)) throw portNotFound(id);
  if (port.projectId !== projectId && !isAdmin(call.who))
    throw badFloatingIp(
      `Cannot process floating IP association with Port ${port.id}, since that port is owned by a different project`,
    );
}
