/** What a node's engine needs from outside; gRPC and AMQP stand behind it in the daemon, fakes in tests. */
import type { computeV1, NodeReport } from '#libs/contract';
import type { ServerSpec } from '../driver/driver.js';

export type ServerReport = Extract<NodeReport, { type: 'server' }>;

export interface ComputePort {
  /** Undefined: compute knows of no such server here. Throws `unavailable` when compute is not reached. */
  getSpec(serverId: string): Promise<ServerSpec | undefined>;
  listDesired(): Promise<readonly computeV1.Desired[]>;
  /** The guest is told what the spec with that number of news says. */
  newsKept(serverId: string, news: number): Promise<void>;
  /** Passphrases by the ids of the server's encrypted disks. */
  diskKeys(serverId: string): Promise<Readonly<Record<string, string>>>;
  /** Throws `conflict` where the guest has posted one already. */
  postPassword(serverId: string, password: string): Promise<void>;
}

export interface ReportPort {
  /** Throws when the report did not reach the broker. */
  publish(report: NodeReport): Promise<void>;
}
