/** What the worker asks of other services, as narrow as it needs it, so that tests put stand-ins in their place. */
import type { agentV1, imageV1, NodeCommand, networkV1, placementV1 } from '#libs/contract';
import type { Remote } from '#libs/platform/grpc';

export type Placement = Pick<
  Remote<placementV1.SchedulerService>,
  'claim' | 'release' | 'ensureProvider' | 'removeProvider' | 'tellPulses'
>;
export type Network = Pick<
  Remote<networkV1.PortsService>,
  'ensureForServer' | 'bind' | 'releaseForServer' | 'listForServers'
>;
export type Images = Pick<Remote<imageV1.ImagesService>, 'locate' | 'register' | 'admit' | 'discard' | 'rotate'>;

/** Sends a command to a node. Rejects when the broker did not confirm; the sender looks again later. */
export type SendCommand = (node: string, command: NodeCommand) => Promise<void>;
/** The agent that answers for a node, for those questions. */
export type AgentOf<M extends keyof Remote<agentV1.NodeService> = 'inventory' | 'holdImage'> = (node: {
  readonly name: string;
  readonly agentGrpc: string;
}) => Pick<Remote<agentV1.NodeService>, M>;
