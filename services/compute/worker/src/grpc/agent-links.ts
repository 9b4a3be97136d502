/** Connections to agents, made when first needed and kept. All nodes of one process share its connection. */
import { agentV1 } from '#libs/contract';
import type { TlsFiles } from '#libs/platform/config';
import { connectGrpc, type Remote } from '#libs/platform/grpc';
import { certificateNameOf } from './callers.js';

export type Agent = Remote<agentV1.NodeService>;

export class AgentLinks {
  readonly #links = new Map<string, Agent>();

  constructor(private readonly tls: TlsFiles) {}

  /** The agent that answers for a node, at the address with which it enrolled. */
  of(node: { readonly name: string; readonly agentGrpc: string }): Agent {
    const name = certificateNameOf(node.name);
    const key = `${name} ${node.agentGrpc}`;
    const known = this.#links.get(key);
    if (known) return known;
    const link = connectGrpc(agentV1.NodeService, [node.agentGrpc], name, this.tls);
    this.#links.set(key, link);
    return link;
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }
}
