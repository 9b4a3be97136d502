/** For whom a caller may speak: a node for itself, the process of simulated nodes for those. */
import { fail } from '#libs/kernel';

const SIMULATED = 'simulated';
const SIMULATED_NODE = /^sim-[a-z0-9-]+$/;
const NODE = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Names of our own processes, which are no nodes. */
const SERVICES: ReadonlySet<string> = new Set([
  'identity',
  'image',
  'network',
  'placement',
  'compute',
  'volume',
  'cli',
  'edge',
  'controller',
]);

/** Whether a certificate's name can be a node's at all. */
export const mayBeNode = (peer: string): boolean => NODE.test(peer) && !SERVICES.has(peer);

/** The node that the caller speaks for; `named` is what it says itself, '' for the one in its certificate. Throws `forbidden`. */
export function nodeOf(peer: string, named: string): string {
  const node = named || peer;
  const own = node === peer && peer !== SIMULATED;
  const simulated = peer === SIMULATED && SIMULATED_NODE.test(node);
  if (own || simulated) return node;
  throw fail.forbidden(`${peer} may not speak for node ${node}`);
}

/** The name in the certificate of the process that answers for a node. */
export const certificateNameOf = (node: string): string => (SIMULATED_NODE.test(node) ? SIMULATED : node);
