/**
 * Exchanges and queues between compute and its nodes. All are durable; what lies in them is not worth much: every message
 * is repeated by whoever needs its effect, so old ones expire and a full queue drops its oldest.
 */
import { COMPUTE_REPORT_QUEUE, NODE_COMMAND_EXCHANGE, NODE_REPORT_EXCHANGE, nodeQueue } from '#libs/contract';

/** The part of a channel that declares. */
export interface Declaring {
  assertExchange(name: string, type: string, options: { durable: boolean }): PromiseLike<unknown>;
  assertQueue(name: string, options: QueueOptions): PromiseLike<unknown>;
  bindQueue(queue: string, exchange: string, key: string): PromiseLike<unknown>;
}
interface QueueOptions {
  durable: boolean;
  messageTtl: number;
  maxLength: number;
}

export async function declareReports(channel: Declaring): Promise<void> {
  await channel.assertExchange(NODE_COMMAND_EXCHANGE, 'direct', { durable: true });
  await channel.assertExchange(NODE_REPORT_EXCHANGE, 'topic', { durable: true });
  await channel.assertQueue(COMPUTE_REPORT_QUEUE, { durable: true, messageTtl: 300_000, maxLength: 200_000 });
  await channel.bindQueue(COMPUTE_REPORT_QUEUE, NODE_REPORT_EXCHANGE, '#');
}

/** A node's queue is there before the node is told that it may listen. */
export async function declareNode(channel: Declaring, node: string): Promise<void> {
  const queue = nodeQueue(node);
  await channel.assertQueue(queue, { durable: true, messageTtl: 60_000, maxLength: 20_000 });
  await channel.bindQueue(queue, NODE_COMMAND_EXCHANGE, node);
}
