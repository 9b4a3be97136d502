/** For whom a caller may speak: a node for itself, the process of simulated nodes for those. */
import { fail } from '#libs/kernel';
import { isSimulated, SIMULATED_PROCESS } from '#services/compute/domain';

const NODE = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Names of our own processes, which are no nodes. */
const SERVICES: ReadonlySet<string> = new Set([
  'identity',
  'image',
  'network',
  'placement',
  'compute',
  'volume',
  'console',
  'cli',
  'edge',
  'controller',
]);

/** Whether a certificate's name can be a node's at all. */
export const mayBeNode = (peer: string): boolean => NODE.test(peer) && !SERVICES.has(peer);

/** The node that the caller speaks for; `named` is what it says itself, '' for the one in its certificate. Throws `forbidden`. */
export function nodeOf(peer: string, named: string): string {
  const node = named || peer;
  const own = node === peer && peer !== SIMULATED_PROCESS;
  const simulated = peer === SIMULATED_PROCESS && isSimulated(node);
  if (own || simulated) return node;
  throw fail.forbidden(`${peer} may not speak for node ${node}`);
}
