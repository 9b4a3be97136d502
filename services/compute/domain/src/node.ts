/** A compute node as it enrolled and as its beats tell. Placement holds its inventory; this is what operators see. */

/** A node whose last beat is older than this is down. */
export const NODE_DOWN_AFTER_MS = 30_000;

export interface NodeEnrolment {
  readonly name: string;
  readonly hypervisorId: string;
  readonly hypervisorType: string;
  readonly hypervisorVersion: number;
  readonly accel: string;
  readonly accelReason: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
  readonly address: string;
  /** host:port of the agent's own gRPC server; its certificate carries the node's name. */
  readonly agentGrpc: string;
  readonly agentVersion: string;
  /** JSON as libvirt's capabilities say: {vendor, model, arch, features, topology}. */
  readonly cpuInfo: Readonly<Record<string, unknown>>;
  readonly availabilityZone: string;
  /** What it can give, by OpenStack's names. */
  readonly traits: readonly string[];
}

export interface NodeBeat {
  readonly freeDiskGb: number;
  readonly freeMemoryMb: number;
  readonly loadAverage: string;
  readonly uptimeS: number;
  readonly digest: string;
  readonly trouble: string | null;
  readonly highestFence: number;
}

export interface Node extends NodeEnrolment, NodeBeat {
  /** The small id of older microversions. */
  readonly number: number;
  readonly serviceId: string;
  readonly disabled: boolean;
  readonly disabledReason: string | null;
  readonly forcedDown: boolean;
  /** Whether it takes servers, as the worker found. */
  readonly state: 'up' | 'down';
  readonly stateReason: string;
  /** Rises with what operators change of it, aggregates included. */
  readonly revision: number;
  readonly enrolledAt: Date;
  readonly lastSeen: Date;
  readonly updatedAt: Date;
}

/** Up: heard of lately and not declared down by the operator. */
export const isNodeUp = (node: Pick<Node, 'lastSeen' | 'forcedDown'>, now: Date): boolean =>
  !node.forcedDown && now.getTime() - node.lastSeen.getTime() <= NODE_DOWN_AFTER_MS;

/** The latest word of a node about one server. */
export interface ServerReport {
  readonly serverId: string;
  readonly node: string;
  readonly fence: number;
  readonly seq: number;
  readonly generation: number;
  readonly power: 'running' | 'stopped' | 'paused' | 'suspended' | 'crashed' | 'absent';
  readonly outcome: 'busy' | 'done' | 'failed' | 'refused';
  readonly error: string | null;
  readonly heldFence: number;
  readonly heldSeq: number;
  readonly rebootCount: number;
  readonly atMs: number;
  /** It changed by itself, not by a command. */
  readonly event: boolean;
}

const SIMULATED = /^sim-[a-z0-9-]+$/;

/** Nodes that one process plays; it speaks for them, and its certificate is named after it. */
export const isSimulated = (node: string): boolean => SIMULATED.test(node);
/** The name in the certificate of the agent that answers for a node. */
export const agentCertificateOf = (node: string): string => (isSimulated(node) ? SIMULATED_PROCESS : node);
export const SIMULATED_PROCESS = 'simulated';
