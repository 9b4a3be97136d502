/**
 * Reports on their way to compute. The bus may be down: of each server only the newest report counts, and it waits here
 * until there is a connection. What is lost with the process, compute learns from the digest.
 */
import type { NodeReport } from '#libs/contract';
import type { Log } from '#libs/platform/log';
import type { ReportPort, ServerReport } from './ports.js';

export class Reporter {
  readonly #port: ReportPort;
  readonly #log: Log;
  readonly #unsent = new Map<string, ServerReport>();

  constructor(port: ReportPort, log: Log) {
    this.#port = port;
    this.#log = log;
  }

  /** Never throws. */
  async server(report: ServerReport): Promise<void> {
    this.#unsent.set(report.serverId, report);
    await this.#send(report);
  }

  /** Never throws; false when it did not reach the broker. */
  async node(report: NodeReport): Promise<boolean> {
    try {
      await this.#port.publish(report);
      return true;
    } catch (error) {
      this.#log.debug({ err: error, type: report.type }, 'a report was not delivered');
      return false;
    }
  }

  /** Sends what has been waiting. */
  async flush(): Promise<void> {
    for (const report of [...this.#unsent.values()]) await this.#send(report);
  }

  async #send(report: ServerReport): Promise<void> {
    if (!(await this.node(report))) return;
    if (this.#unsent.get(report.serverId) === report) this.#unsent.delete(report.serverId);
  }
}
