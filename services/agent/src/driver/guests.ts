/** What is done with a running guest from outside or by the agent inside it. A guest never says what its password is. */
import { GUEST_AGENT_SILENT } from '#libs/contract';
import { delay, fail, isFailure } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { Libvirt } from '../libvirt/client.js';
import { isInvalidOperation, isNoDomain, LibvirtError } from '../libvirt/errors.js';
import { AGENT_SECONDS, type DomainRef, ERROR_CODE, PROCEDURES } from '../libvirt/protocol.js';
import { explained } from './domains.js';

/** A guest that has just been started needs a while until its agent answers; whoever asks waits a little longer than this. */
const PATIENCE = { forMs: 40_000, everyMs: 1_000 } as const;

export class Guests {
  readonly #libvirt: Libvirt;
  readonly #log: Log;
  readonly #patience: { readonly forMs: number; readonly everyMs: number };

  constructor(libvirt: Libvirt, log: Log, patience: { forMs: number; everyMs: number } = PATIENCE) {
    this.#libvirt = libvirt;
    this.#log = log;
    this.#patience = patience;
  }

  async interrupt(serverId: string): Promise<void> {
    await this.#asked(serverId, (domain) => this.#libvirt.call(PROCEDURES.injectNmi, { domain, flags: 0 }), explained);
  }

  /** Asks again for a while where no agent answers. */
  async setPassword(serverId: string, user: string, password: string, signal: AbortSignal): Promise<void> {
    const { forMs, everyMs } = this.#patience;
    for (const end = performance.now() + forMs; ; await delay(everyMs, signal)) {
      signal.throwIfAborted();
      try {
        return await this.#setPassword(serverId, user, password);
      } catch (error) {
        const isSilent = isFailure(error, 'conflict') && error.message === GUEST_AGENT_SILENT;
        if (!isSilent || performance.now() >= end) throw error;
      }
    }
  }

  async #setPassword(serverId: string, user: string, password: string): Promise<void> {
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
