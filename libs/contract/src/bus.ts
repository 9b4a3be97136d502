/** The bus between compute and the agents: names, and the shapes of the two messages. Neither ever carries a secret. */
import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';

export const NODE_COMMAND_EXCHANGE = 'node.command';
export const NODE_REPORT_EXCHANGE = 'node.report';
export const COMPUTE_REPORT_QUEUE = 'compute.report';
export const nodeQueue = (node: string): string => `node.${node}`;

/**
 * compute -> agent. `ensure`: fetch the spec of that server and make it so. `refresh`: fetch it for the guest's metadata
 * alone, and leave the guest as it is. `report`: say what is there.
 */
export const NodeCommand = Type.Union([
  Type.Object({
    type: Type.Literal('ensure'),
    serverId: Type.String(),
    fence: Type.Integer(),
    seq: Type.Integer(),
    generation: Type.Integer(),
  }),
  Type.Object({ type: Type.Literal('refresh'), serverId: Type.String() }),
  Type.Object({ type: Type.Literal('report') }),
]);
export type NodeCommand = Static<typeof NodeCommand>;

/** `suspended`: off, with its memory on the disk. */
export const PowerState = Type.Union([
  Type.Literal('running'),
  Type.Literal('stopped'),
  Type.Literal('paused'),
  Type.Literal('suspended'),
  Type.Literal('crashed'),
  Type.Literal('absent'),
]);
export type PowerState = Static<typeof PowerState>;

/** The error of a report about a guest that was asked something through its agent. */
export const GUEST_AGENT_SILENT = 'the guest agent does not answer';

/**
 * agent -> compute. `server`: the outcome of a command, or (with `event`) what happened by itself.
 * `beat`: the node lives; `digest` is over (serverId, power, fence) of all its servers.
 * `full`: everything on the node, sent when asked.
 */
export const NodeReport = Type.Union([
  Type.Object({
    type: Type.Literal('server'),
    node: Type.String(),
    serverId: Type.String(),
    fence: Type.Integer(),
    seq: Type.Integer(),
    generation: Type.Integer(),
    power: PowerState,
    event: Type.Boolean(),
    /** busy: still at work, watch on; done: made so; failed: cannot be made so here; refused: an older fence. */
    outcome: Type.Union([Type.Literal('busy'), Type.Literal('done'), Type.Literal('failed'), Type.Literal('refused')]),
    error: Type.Optional(Type.String()),
    /** The highest (fence, seq) the node holds for the server. */
    heldFence: Type.Integer(),
    heldSeq: Type.Integer(),
    rebootCount: Type.Integer(),
    atMs: Type.Integer(),
  }),
  Type.Object({
    type: Type.Literal('beat'),
    node: Type.String(),
    digest: Type.String(),
    servers: Type.Integer(),
    freeDiskGb: Type.Integer(),
    freeMemoryMb: Type.Integer(),
    loadAverage: Type.String(),
    uptimeS: Type.Integer(),
    highestFence: Type.Integer(),
    trouble: Type.Optional(Type.String()),
    atMs: Type.Integer(),
  }),
  Type.Object({
    type: Type.Literal('full'),
    node: Type.String(),
    digest: Type.String(),
    servers: Type.Array(
      Type.Object({ serverId: Type.String(), power: PowerState, fence: Type.Integer(), seq: Type.Integer() }),
    ),
    unknown: Type.Array(Type.String()),
    atMs: Type.Integer(),
  }),
]);
export type NodeReport = Static<typeof NodeReport>;

/** What of a server goes into a node's digest. */
export interface Digested {
  readonly serverId: string;
  readonly power: PowerState;
  /** The highest fence the node holds for the server. */
  readonly fence: number;
}

/** The same on both sides for the same servers in any order; servers that are absent do not count. 32 hex digits. */
export function nodeDigest(servers: readonly Digested[]): string {
  const lines = servers
    .filter((server) => server.power !== 'absent')
    .map((server) => `${server.serverId} ${server.power} ${server.fence}\n`)
    .sort();
  return createHash('sha256').update(lines.join('')).digest('hex').slice(0, 32);
}
