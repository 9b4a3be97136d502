/** The cloud this machine runs: its state folder, and a connection to each service's operator interface. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { computeTasksV1, operatorV1 } from '#libs/contract';
import { privateMessage } from '#libs/kernel';
import { readConfig } from '#libs/platform/config';
import { connectGrpc, type Remote } from '#libs/platform/grpc';

export type Operator = Remote<typeof operatorV1.OperatorService>;
export type Tasks = Remote<typeof computeTasksV1.TasksService>;

/** The answer of one service, or why there is none. */
export interface Answer<T> {
  readonly service: string;
  readonly reply?: T;
  readonly error?: string;
}

export interface Cloud {
  readonly state: string;
  /** Asks every process of every service at once; a silent one yields an error, never an exception. */
  ask<T>(call: (operator: Operator) => Promise<T>, every?: 'process' | 'service'): Promise<Answer<T>[]>;
  /** Compute's operations. Throws where compute has no address; its calls throw what compute says. */
  tasks(): Tasks;
  close(): void;
}

const SERVICES = ['identity', 'image', 'network', 'placement', 'compute'] as const;

/** Throws an Error fit for the operator's eyes when no cloud is set up here. */
export function openCloud(state = process.env['YAGURA_STATE'] ?? join(import.meta.dirname, '../../../../var')): Cloud {
  const path = process.env['YAGURA_CONFIG'] ?? join(state, 'etc', 'cli.json');
  if (!existsSync(path)) throw new Error(`no cloud is set up in ${state}. Start one with: npm run up`);
  const config = readConfig(path);
  const peers = config.peers ?? {};
  const open: { close(): void }[] = [];
  const operators = (every: 'process' | 'service') =>
    SERVICES.flatMap((service) => {
      const addresses = peers[service] ?? [];
      const groups = every === 'process' ? addresses.map((address) => [address]) : addresses.length ? [addresses] : [];
      return groups.map((group) => {
        const operator = connectGrpc(operatorV1.OperatorService, group, service, config.tls);
        open.push(operator);
        return { service, operator };
      });
    });
  return {
    state,
    ask: (call, every = 'service') =>
      Promise.all(
        operators(every).map(async ({ service, operator }) => {
          try {
            return { service, reply: await call(operator) };
          } catch (error) {
            return { service, error: privateMessage(error) };
          }
        }),
      ),
    tasks: () => {
      const addresses = peers['compute'] ?? [];
      if (!addresses.length) throw new Error('compute has no address in this cloud');
      const tasks = connectGrpc(computeTasksV1.TasksService, addresses, 'compute', config.tls);
      open.push(tasks);
      return tasks;
    },
    close: () => {
      for (const connection of open) connection.close();
    },
  };
}
