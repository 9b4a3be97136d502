/** How rows about one server find it. */
import type { Call } from '#libs/platform/http';
import type { Server } from '#services/compute/domain';
import { isAdmin } from '../compute.rules.js';
import type { Asker, ServerHandlers } from './server.handlers.js';

type AnyCall = Pick<Call<unknown, unknown>, 'may' | 'params' | 'who' | 'requestId'>;

/** `load` of a row whose path carries the server's id as `:id`. */
export const loadServer = <H extends Pick<ServerHandlers, 'find'>>(handlers: H, call: AnyCall): Promise<Server> =>
  handlers.find(call.params['id'] ?? '', call.who, isAdmin(call));

export const askerOf = (call: AnyCall): Asker => ({ who: call.who, isAdmin: isAdmin(call), requestId: call.requestId });
