/**
 * A node's ties to compute: enrolment, the queue of commands, reports, beats. All of them are made again for ever and
 * none of them is needed for guests to keep running.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { computeV1, NODE_REPORT_EXCHANGE, NodeCommand, nodeQueue } from '#libs/contract';
import { delay, fail, isFailure, privateMessage } from '#libs/kernel';
import { Bus } from '#libs/platform/amqp';
import { validated } from '#libs/platform/config';
import { connectGrpc, type Remote } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import type { NodeIdentity } from '../config.js';
import type { HypervisorDriver } from '../driver/driver.js';
import type { Limiter } from '../driver/limiter.js';
import type { AgentNode } from './agent-node.js';
import type { ComputePort, ReportPort } from './ports.js';

export interface LinkOptions {
  readonly identity: NodeIdentity;
  readonly computeAddresses: readonly string[];
  readonly stateDir: string;
  readonly address: string;
  readonly agentGrpc: string;
  readonly version: string;
  readonly availabilityZone: string;
  readonly log: Log;
  /** Many nodes of one process do not all call at once. */
  readonly enrolments: Limiter;
}

const HEARTBEAT_MS = 5_000;
const ENROL_EVERY_MS = 300_000;
const LONGEST_PAUSE_MS = 6_000;
/** Reports are cheap to repeat; the broker need not keep old ones. */
const REPORT_EXPIRES_MS = 60_000;

export class NodeLink implements ComputePort, ReportPort {
  readonly #options: LinkOptions;
  readonly #compute: Remote<computeV1.NodesService>;
  readonly #stopped = new AbortController();
  #bus: Bus | undefined;
  /** Aborted to enrol and compare again at once. */
  #again = new AbortController();
  #heartbeatMs = HEARTBEAT_MS;
  #loops: Promise<void>[] = [];

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#compute = connectGrpc(computeV1.NodesService, options.computeAddresses, 'compute', options.identity.tls);
  }

  start(node: AgentNode, driver: HypervisorDriver): void {
    const { identity, log } = this.#options;
    this.#bus = new Bus({
      url: identity.amqp,
      name: `agent ${identity.name}`,
      log,
      consumers: [
        {
          queue: nodeQueue(identity.name),
          handle: ({ body }) => node.command(validated(NodeCommand, body, 'command')),
        },
      ],
      onConnect: () => this.#again.abort(),
    });
    this.#loops = [this.#stayEnrolled(node, driver), this.#beats(node)];
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#loops);
    await this.#bus?.stop();
    this.#compute.close();
  }

  async getSpec(serverId: string): Promise<computeV1.ServerSpec | undefined> {
    try {
      return await this.#compute.getSpec({ serverId, node: this.#options.identity.name });
    } catch (error) {
      if (isFailure(error, 'notFound')) return undefined;
      throw error;
    }
  }

  async listDesired(): Promise<readonly computeV1.Desired[]> {
    return (await this.#compute.listDesired({ node: this.#options.identity.name })).servers;
  }

  async newsKept(serverId: string, news: number): Promise<void> {
    await this.#compute.newsKept({ serverId, node: this.#options.identity.name, news });
  }

  async diskKeys(serverId: string): Promise<Readonly<Record<string, string>>> {
    return (await this.#compute.getDiskKeys({ serverId, node: this.#options.identity.name })).keys;
  }

  async postPassword(serverId: string, password: string): Promise<void> {
    await this.#compute.postPassword({ serverId, node: this.#options.identity.name, password });
  }

  async publish(report: Parameters<ReportPort['publish']>[0]): Promise<void> {
    const { name, amqp } = this.#options.identity;
    const userId = decodeURIComponent(new URL(amqp).username);
    if (!this.#bus) throw fail.unavailable('the bus is not joined yet');
    await this.#bus.publish(NODE_REPORT_EXCHANGE, name, report, { userId, expiresMs: REPORT_EXPIRES_MS });
  }

  /**
   * The bus is joined at once (the queue stands since an earlier enrolment). Enrolment is repeated until it succeeds,
   * then whenever the bus was reached anew, and now and then: compute may have lost its books, the node its disk.
   */
  async #stayEnrolled(node: AgentNode, driver: HypervisorDriver): Promise<void> {
    const { signal } = this.#stopped;
    this.#bus?.start();
    for (let failures = 0; !signal.aborted; ) {
      const again = new AbortController();
      this.#again = again;
      try {
        await this.#options.enrolments.run(() => this.#enrol(node, driver));
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#options.log.warn({ reason: privateMessage(error), failures }, 'enrolment did not succeed; trying again');
      }
      const pause = failures ? Math.min(250 * 2 ** Math.min(failures - 1, 5), LONGEST_PAUSE_MS) : ENROL_EVERY_MS;
      await delay(pause * (0.5 + Math.random()), AbortSignal.any([signal, again.signal]));
    }
  }

  async #enrol(node: AgentNode, driver: HypervisorDriver): Promise<void> {
    const reply = await this.#compute.enrol(await this.#enrolment(driver));
    if (reply.heartbeatMs > 0) this.#heartbeatMs = reply.heartbeatMs;
    this.#options.log.info({ node: node.name, heartbeatMs: this.#heartbeatMs }, 'enrolled with compute');
    await node.reconnected();
  }

  async #enrolment(driver: HypervisorDriver): Promise<computeV1.EnrolRequest> {
    const { identity, address, agentGrpc, version, availabilityZone } = this.#options;
    const { cpuInfo, ...capacity } = await driver.capacity();
    return {
      node: identity.name,
      ...capacity,
      cpuInfo: JSON.stringify(cpuInfo),
      address,
      agentGrpc,
      agentVersion: version,
      availabilityZone,
      hypervisorId: await this.#hypervisorId(),
    };
  }

  /** The node's own id, made once. */
  async #hypervisorId(): Promise<string> {
    const path = join(this.#options.stateDir, 'hypervisor-id');
    const kept = await readFile(path, 'utf8').catch(() => '');
    if (kept.trim()) return kept.trim();
    const id = randomUUID();
    await writeFile(`${path}.new`, `${id}\n`);
    await rename(`${path}.new`, path);
    return id;
  }

  async #beats(node: AgentNode): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await delay(this.#heartbeatMs * (0.9 + 0.2 * Math.random()), signal);
      if (!signal.aborted) await node.beat();
    }
  }
}
