/** Every project has a default group as soon as somebody looks: the caller's own, or the one that an administrator asks for. */
import type { ListQuery } from '../list.wire.js';
import type { NetworkParts } from '../parts.js';
import { type AnyCall, mayKnow } from '../scope.js';

export async function ensureDefaultFor(call: AnyCall, request: ListQuery, parts: NetworkParts): Promise<void> {
  const named = request.filters.get('project_id') ?? request.filters.get('tenant_id');
  const projectId = named?.[0] || call.who.projectId;
  if (projectId !== undefined && mayKnow(call.who, projectId))
    await parts.books.groupStore.ensureDefault(projectId, parts.now());
}
