/**
 * Keeps guests from playing IPv6 routers. OVN lets neighbour discovery through before any ACL and its port security
 * checks solicitations and neighbour advertisements alone, so router advertisements need a flow of our own. It stands
 * in the table in which OVN checks neighbour discovery: only ports with port security lead there, so that virtual
 * routers, which have it off, and OVN's own routers stay free; no port needs to be known, so none is ever unguarded.
 * ovn-controller removes the flow when it starts, as every flow that it does not know; we watch, and put it back.
 */
import { delay, privateMessage } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { Run, Watch } from '../exec/run.js';

/** OVN 25.03: its second table of port security for what ports send (ARP and neighbour discovery). */
const TABLE = 74;
const COOKIE = '0x7961677572610001';
const AGAIN_MS = 500;
/** As OVN itself marks a packet that fails port security. */
const FLOW = `cookie=${COOKIE},table=${TABLE},priority=65000,icmp6,icmp_type=134,actions=load:0x1->NXM_NX_REG10[12]`;

export interface AdvertisementGuardOptions {
  readonly run: Run;
  readonly watch: Watch;
  readonly bridge: string;
  readonly log: Log;
}

/** Whether a line of the monitor's means that the flow may be missing: it begins to watch, or ours was deleted. */
export const asksForFlow = (line: string, first: boolean): boolean =>
  first || (line.includes('event=DELETED') && line.includes(`cookie=${COOKIE}`));

export class AdvertisementGuard {
  readonly #options: AdvertisementGuardOptions;
  readonly #stopped = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #trouble = '';

  constructor(options: AdvertisementGuardOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#keep(this.#stopped.signal);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  /** A monitor lives as long as the switch does; a new one is started for each. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { watch, bridge } = this.#options;
    while (!signal.aborted) {
      let first = true;
      const onLine = (line: string): void => {
        if (asksForFlow(line, first)) this.#put();
        first = false;
      };
      const end = await watch('ovs-ofctl', ['monitor', bridge, `watch:!add,!modify,table=${TABLE}`], {
        signal,
        onLine,
      });
      if (!signal.aborted) this.#say(end);
      await delay(AGAIN_MS, signal);
    }
  }

  #put(): void {
    const { run, bridge } = this.#options;
    run('ovs-ofctl', ['add-flow', bridge, FLOW]).then(
      () => this.#say(''),
      (error: unknown) => this.#say(privateMessage(error)),
    );
  }

  /** Says what is new, not what it said before. */
  #say(trouble: string): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    if (trouble) this.#options.log.warn({ trouble }, 'guests are not kept from sending router advertisements');
    else this.#options.log.info('guests are kept from sending router advertisements');
  }
}
