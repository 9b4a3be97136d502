/** `options` of compute's configuration, as far as they concern the worker. */
import { type Static, Type } from 'typebox';

const Ratio = Type.Optional(Type.Number({ exclusiveMinimum: 0 }));

export const WorkerOptions = Type.Object({
  /** Physical to virtual: how many times each resource of a node is given out. */
  cpuRatio: Type.Number({ default: 16, exclusiveMinimum: 0 }),
  memoryRatio: Type.Number({ default: 1, exclusiveMinimum: 0 }),
  diskRatio: Type.Number({ default: 1, exclusiveMinimum: 0 }),
  /** Ratios of single nodes, by name. */
  nodeRatios: Type.Record(Type.String(), Type.Object({ cpu: Ratio, ram: Ratio, disk: Ratio }), { default: {} }),
  /** What the node's own processes need; less on nodes that have less than eight times as much. */
  reservedMemoryMb: Type.Integer({ default: 512, minimum: 0 }),
  heartbeatMs: Type.Integer({ default: 10_000, minimum: 100 }),
  /** A node that is not heard of for longer is down. */
  silenceMs: Type.Integer({ default: 31_000, minimum: 300 }),
  /** Seconds for which a shelved server stays on its node: 0 takes it off at once, -1 leaves it there. */
  shelvedOffloadS: Type.Integer({ default: 0, minimum: -1 }),
  /** Servers worked on at once. */
  concurrency: Type.Integer({ default: 16, minimum: 1 }),
  /** Seconds after which a resize that nobody decided about is confirmed; 0: never. */
  resizeConfirmWindow: Type.Integer({ default: 0, minimum: 0 }),
  /** For how long node events and finished tasks are kept, in days. */
  keepDays: Type.Integer({ default: 7, minimum: 1 }),
});
export type WorkerOptions = Static<typeof WorkerOptions>;
