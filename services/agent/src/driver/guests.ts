/** What is done with a running guest from outside or by the agent inside it. A guest never says what its password is. */
import { GUEST_AGENT_SILENT } from '#libs/contract';
import { fail } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { Libvirt } from '../libvirt/client.js';
import { isInvalidOperation, isNoDomain, LibvirtError } from '../libvirt/errors.js';
import { AGENT_SECONDS, type DomainRef, ERROR_CODE, PROCEDURES } from '../libvirt/protocol.js';
import { explained } from './domains.js';

export class Guests {
  readonly #libvirt: Libvirt;
  readonly #log: Log;

  constructor(libvirt: Libvirt, log: Log) {
    this.#libvirt = libvirt;
    this.#log = log;
  }

  async interrupt(serverId: string): Promise<void> {
    await this.#asked(serverId, (domain) => this.#libvirt.call(PROCEDURES.injectNmi, { domain, flags: 0 }), explained);
  }

  async setPassword(serverId: string, user: string, password: string): Promise<void> {
    await this.#asked(
      serverId,
      async (domain) => {
        await this.#libvirt.call(PROCEDURES.agentTimeout, { domain, seconds: AGENT_SECONDS, flags: 0 });
        await this.#libvirt.call(PROCEDURES.setUserPassword, { domain, user, password });
      },
      notSet,
    );
  }

  async #asked(
    serverId: string,
    ask: (domain: DomainRef) => Promise<unknown>,
    refused: (error: unknown) => unknown,
  ): Promise<void> {
    try {
      await ask(await this.#libvirt.call(PROCEDURES.lookupByUuid, { uuid: serverId }));
    } catch (error) {
      if (isNoDomain(error) || isInvalidOperation(error))
        throw fail.conflict('its guest does not run', { cause: error });
      if (error instanceof LibvirtError && error.code === ERROR_CODE.agentUnresponsive)
        throw fail.conflict(GUEST_AGENT_SILENT, { cause: error });
      this.#log.warn({ err: error, serverId }, 'a guest could not be asked');
      throw refused(error);
    }
  }
}

/** What a guest says of why it took no password is not repeated to anybody. */
const notSet = (error: unknown): unknown =>
  error instanceof LibvirtError ? fail.conflict('error setting admin password', { cause: error }) : explained(error);
