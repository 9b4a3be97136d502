/**
 * What the agent needs of a hypervisor. Every `ensure` may be repeated at any time, after any interruption: it looks at
 * what is there and does the rest. Failures are kernel Failures: `unavailable` is worth another try, anything else is a
 * verdict about this server on this node.
 */
import type { Duplex } from 'node:stream';
import type { computeV1, PowerState } from '#libs/contract';
import type { ConsoleKind } from '../console/guest-console.js';
import type { Diagnostics } from './diagnostics.js';

export type ServerSpec = computeV1.ServerSpec;

export interface Capacity {
  readonly hypervisorType: string;
  readonly hypervisorVersion: number;
  readonly accel: string;
  readonly accelReason: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
  /** As compute shows it to operators: {vendor, model, arch, features, topology}. */
  readonly cpuInfo: Readonly<Record<string, unknown>>;
  /** By OpenStack's names. */
  readonly traits: string[];
}

export interface Room {
  readonly freeDiskGb: number;
  readonly freeMemoryMb: number;
}

export interface DomainView {
  readonly serverId: string;
  readonly power: PowerState;
}

export interface TapView {
  readonly portId: string;
  readonly device: string;
}

/** All that is on the node, whether it is ours or not. */
export interface Inventory {
  readonly domains: readonly DomainView[];
  /** Servers with any file below the instances folder. */
  readonly disks: readonly string[];
  readonly taps: readonly TapView[];
  /** Descriptions of what nobody here made, such as `domain debian12`. */
  readonly foreign: readonly string[];
}

export interface DriverEvents {
  /** Something happened to the server's domain by itself or by us; ask `power` what is true now. `why`: what went wrong. */
  changed(serverId: string, why?: string): void;
  /** The hypervisor was reached again: anything may have happened meanwhile. */
  resynced(): void;
  /** A guest posts a password for its owner. Throws `conflict` where it has, `unavailable` where nobody takes it now. */
  posted(serverId: string, password: string): Promise<void>;
  /** Passphrases by the ids of the server's encrypted disks. Throws `unavailable` where they are not to be had now. */
  keys(serverId: string): Promise<Readonly<Record<string, string>>>;
}

export type RebootKind = 'SOFT' | 'HARD';

export interface HypervisorDriver {
  start(events: DriverEvents): Promise<void>;
  stop(): Promise<void>;
  /** `ok`, or what is wrong. */
  readonly health: string;
  capacity(): Promise<Capacity>;
  room(): Promise<Room>;

  /** Disks, config drive, interfaces, domain: made where missing; then running. Aborting stops waits and downloads. */
  ensureRunning(spec: ServerSpec, signal: AbortSignal): Promise<void>;
  /** Asks the guest to power off, and pulls the plug when it does not in time. */
  ensureStopped(spec: ServerSpec, signal: AbortSignal): Promise<void>;
  /** The guest that runs stands still, in memory. Throws `conflict` where none runs: what is lost can not be paused. */
  ensurePaused(spec: ServerSpec, signal: AbortSignal): Promise<void>;
  /** The guest that runs, or stands still, is off with its memory on the disk. Throws `conflict` where there is none. */
  ensureSuspended(spec: ServerSpec, signal: AbortSignal): Promise<void>;
  /** No domain, no disk, no tap of that server. */
  ensureAbsent(serverId: string): Promise<void>;
  /** Running again after a reboot of that kind; a soft one that the guest ignores becomes a hard one. */
  reboot(spec: ServerSpec, kind: RebootKind, signal: AbortSignal): Promise<void>;

  /** Copies the root disk as it is at one moment into the image that the spec names, whatever the guest is doing. */
  exportDisk(spec: ServerSpec, signal: AbortSignal): Promise<void>;

  /**
   * Fetches a base image of which no server is made yet. True: it is here. False: it is on its way, in the background.
   * Throws what came of the last try, once.
   */
  holdImage(source: computeV1.ImageSource): Promise<boolean>;

  /** Tells the guest of itself what the spec says, where it has been made here. Changes nothing else of it. */
  tell(spec: ServerSpec): Promise<void>;

  /** Sends the guest a non-maskable interrupt. Throws `conflict` where none runs. */
  interrupt(serverId: string): Promise<void>;
  /** Has the agent inside a guest set a password. Throws `conflict`, with GUEST_AGENT_SILENT where none answers. */
  setPassword(serverId: string, user: string, password: string, signal: AbortSignal): Promise<void>;

  power(serverId: string): Promise<PowerState>;
  /** What a guest that runs has used of its machine; of any other its power alone. */
  diagnostics(serverId: string): Promise<Diagnostics>;
  list(): Promise<DomainView[]>;
  inventory(): Promise<Inventory>;
  /** The last lines of the serial log; everything kept when `lines` is not above 0. */
  consoleLog(serverId: string, lines: number): Promise<Buffer>;
  /** Joins the guest's screen (RFB) or serial line. Throws `notFound`, or `conflict` where it is not to be had now. */
  openConsole(serverId: string, kind: ConsoleKind): Promise<Duplex>;
}
