/** A new password for a guest's administrator, set by the agent inside it. It lies sealed in the server's row until then. */
import { SERVER_CHANGE_PASSWORD } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { errandFlow } from './errand.js';

const FORGET = { secrets: { newPass: null } };

export const serverChangePasswordFlow = (deps: FlowDeps) =>
  errandFlow(deps, {
    kind: SERVER_CHANGE_PASSWORD,
    errand: 'password',
    done: 'passwordChanged',
    settled: () => FORGET,
    back: 'passwordGivenUp',
    givenUp: FORGET,
    failed: (serverId, why) => `Failed to set admin password on ${serverId} because ${why}`,
    limitMs: 60_000,
  });
