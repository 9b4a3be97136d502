/** Redeeming console tokens, for the process that serves consoles. */
import type { computeConsoleV1 } from '#libs/contract';
import { type Clock, fail } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Implementation } from '#libs/platform/grpc';
import { ConsoleTokenRepo } from '#services/compute/data';
import { agentCertificateOf, CONSOLE_KINDS } from '#services/compute/domain';

export function consolesService(db: Db, clock: Clock): Implementation<computeConsoleV1.ConsolesService> {
  const tokens = new ConsoleTokenRepo();
  return {
    redeem: async ({ token }) => {
      const open = await tokens.redeem(db, token, clock.now());
      if (!open) throw fail.notFound('the token opens nothing');
      const { serverId, node, agentGrpc, type } = open;
      return { serverId, node, agentGrpc, certificate: agentCertificateOf(node), kind: CONSOLE_KINDS[type] };
    },
  };
}
