/**
 * The part of libvirt's remote protocol that the agent speaks, and nothing more. Source of every number and shape:
 * libvirt 11.3, `src/remote/remote_protocol.x`, `src/rpc/virnetprotocol.x`, `src/rpc/virkeepaliveprotocol.x`,
 * `include/libvirt/libvirt-domain.h` and `virterror.h`. Numbers of the protocol never change once published.
 */
import { XdrError, XdrReader, XdrWriter } from './xdr.js';

export const REMOTE_PROGRAM = 0x20008086;
export const REMOTE_VERSION = 1;
/** Procedures that only the QEMU driver has: `src/remote/qemu_protocol.x`. */
export const QEMU_PROGRAM = 0x20008087;
export const KEEPALIVE_PROGRAM = 0x6b656570;
export const KEEPALIVE_VERSION = 1;
export const KEEPALIVE_PING = 1;
export const KEEPALIVE_PONG = 2;

export const MESSAGE = { call: 0, reply: 1, event: 2, stream: 3 } as const;
/** Data of a stream bear `continue`, its end `ok`. */
export const STATUS = { ok: 0, error: 1, continue: 2 } as const;
/** Data of a stream are sent in pieces of at most so many bytes, as libvirt's own clients do. */
export const STREAM_PIECE = 256 << 10;
/** Length word and header together; a message is never longer than 32 MiB. */
export const HEADER_BYTES = 28;
export const MESSAGE_MAX = 32 << 20;

const UUID_BYTES = 16;
const DOMAIN_LIST_MAX = 16_384;
const AUTH_LIST_MAX = 20;

/** A domain as libvirt's messages carry it; `uuid` is the 16 raw bytes in hex with dashes. */
export interface DomainRef {
  readonly name: string;
  readonly uuid: string;
  /** The hypervisor's own number while it runs, -1 otherwise. */
  readonly id: number;
}

export const DOMAIN_STATE = {
  none: 0,
  running: 1,
  blocked: 2,
  paused: 3,
  shutdown: 4,
  shutoff: 5,
  crashed: 6,
  pmsuspended: 7,
} as const;
export const LIFECYCLE = {
  defined: 0,
  undefined: 1,
  started: 2,
  suspended: 3,
  resumed: 4,
  stopped: 5,
  shutdown: 6,
  pmsuspended: 7,
  crashed: 8,
} as const;
export const SUSPENDED_DETAIL = { paused: 0, migrated: 1, ioError: 2, watchdog: 3, restored: 4 } as const;
export const STOPPED_DETAIL = { shutdown: 0, destroyed: 1, crashed: 2, migrated: 3, saved: 4, failed: 5 } as const;
export const UNDEFINE = { managedSave: 1, snapshotsMetadata: 2, nvram: 4, checkpointsMetadata: 16, tpm: 32 } as const;
export const SHUTDOWN_ACPI = 1;
export const ERROR_CODE = {
  noDomain: 42,
  operationInvalid: 55,
  domainExists: 28,
  noSecret: 66,
  configUnsupported: 67,
  agentUnresponsive: 86,
  xml: 27,
  xmlDetail: 102,
} as const;

/** A procedure of the remote program: its number, how its arguments are written and how its result is read. */
export interface Procedure<Args, Result> {
  readonly program: number;
  readonly number: number;
  readonly write: (out: XdrWriter, args: Args) => XdrWriter;
  readonly read: (reply: XdrReader) => Result;
}

function procedure<Args, Result>(
  number: number,
  write: (out: XdrWriter, args: Args) => XdrWriter,
  read: (reply: XdrReader) => Result,
  program: number = REMOTE_PROGRAM,
): Procedure<Args, Result> {
  return { program, number, write, read };
}

export function uuidToBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

export function uuidFromBytes(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export const writeDomain = (out: XdrWriter, domain: DomainRef): XdrWriter =>
  out.string(domain.name).opaque(uuidToBytes(domain.uuid)).int(domain.id);

export const readDomain = (reply: XdrReader): DomainRef => ({
  name: reply.string(),
  uuid: uuidFromBytes(reply.opaque(UUID_BYTES)),
  id: reply.int(),
});

/** A secret by its uuid; of secrets without a usage, as ours are. */
const writeSecret = (out: XdrWriter, uuid: string): XdrWriter => out.opaque(uuidToBytes(uuid)).int(0).string('');

interface Flagged {
  readonly domain: DomainRef;
  readonly flags: number;
}
const flagged = (out: XdrWriter, { domain, flags }: Flagged): XdrWriter => writeDomain(out, domain).uint(flags);
interface Device extends Flagged {
  readonly xml: string;
}
const device = (out: XdrWriter, { domain, xml, flags }: Device): XdrWriter =>
  writeDomain(out, domain).string(xml).uint(flags);
const nothing = (out: XdrWriter): XdrWriter => out;
const done = (): void => undefined;

/** Kinds of jobs, what they do, and how to ask for the one that ended last. */
export const JOB = { none: 0, bounded: 1, unbounded: 2, completed: 3, failed: 4, backup: 9, askCompleted: 1 } as const;
/** How long a guest's agent has to answer. */
export const AGENT_SECONDS = 10;

export interface JobStats {
  readonly type: number;
  readonly operation: number;
  /** Why it failed, or ''. */
  readonly message: string;
}

const TYPED_PARAMETERS_MAX = 64;
/** REMOTE_CONNECT_GET_ALL_DOMAIN_STATS_MAX */
const STATS_MAX = 4_096;
/** Groups of statistics, and not to wait for a job that is at work on the domain. */
export const STATS = { balloon: 4, vcpu: 8, interface: 16, block: 32, noWait: 1 << 29 } as const;
/** Statistics of a domain by libvirt's names, such as `block.0.rd.bytes`. */
export type DomainStats = ReadonlyMap<string, number | bigint | string>;

/** A named value whose type is told. */
function readTyped(reply: XdrReader): readonly [name: string, value: number | bigint | string] {
  const name = reply.string();
  const type = reply.int();
  switch (type) {
    case 1:
    case 6:
      return [name, reply.int()];
    case 2:
      return [name, reply.uint()];
    case 3:
    case 4:
    case 5: // a double, of which nothing here is of interest
      return [name, reply.uhyper()];
    case 7:
      return [name, reply.string()];
    default:
      throw new XdrError(`a parameter of the unknown type ${type}`);
  }
}

export interface NodeInfo {
  readonly memoryKib: number;
  readonly cpus: number;
}

export const PROCEDURES = {
  open: procedure(
    1,
    (out, args: { uri: string; flags: number }) => out.optionalString(args.uri).uint(args.flags),
    done,
  ),
  close: procedure(2, nothing, done),
  version: procedure(4, nothing, (reply) => Number(reply.uhyper())),
  nodeInfo: procedure(6, nothing, (reply): NodeInfo => {
    for (let n = 0; n < 32; n++) reply.int(); // the processor's name, one XDR int for each char
    return { memoryKib: Number(reply.uhyper()), cpus: reply.int() };
  }),
  capabilities: procedure(7, nothing, (reply) => reply.string()),
  xml: procedure(14, flagged, (reply) => reply.string()),
  lookupByUuid: procedure(24, (out, args: { uuid: string }) => out.opaque(uuidToBytes(args.uuid)), readDomain),
  resume: procedure(28, (out, args: { domain: DomainRef }) => writeDomain(out, args.domain), done),
  suspend: procedure(34, (out, args: { domain: DomainRef }) => writeDomain(out, args.domain), done),
  supportsFeature: procedure(
    60,
    (out, args: { feature: number }) => out.int(args.feature),
    (reply) => reply.int() !== 0,
  ),
  authList: procedure(66, nothing, (reply) => reply.array(AUTH_LIST_MAX, (item) => item.int())),
  defineSecret: procedure(142, (out, args: { xml: string }) => out.string(args.xml).uint(0), done),
  setSecret: procedure(
    144,
    (out, { uuid, value }: { uuid: string; value: string }) => writeSecret(out, uuid).string(value).uint(0),
    done,
  ),
  undefineSecret: procedure(146, (out, args: { uuid: string }) => writeSecret(out, args.uuid), done),
  libVersion: procedure(157, nothing, (reply) => Number(reply.uhyper())),
  /** `flags` 1: the running guest. A detached device is gone once the guest has let go of it. */
  attachDevice: procedure(160, device, done),
  detachDevice: procedure(161, device, done),
  /** Writes the guest's memory to the disk and ends it; as long as that takes. */
  managedSave: procedure(182, flagged, done),
  hasManagedSave: procedure(183, flagged, (reply) => reply.int() !== 0),
  managedSaveRemove: procedure(184, flagged, done),
  create: procedure(196, flagged, readDomain),
  /** Opens a stream to the first console; flag 1 takes it from whoever has it. */
  openConsole: procedure(
    201,
    (out, { domain, flags }: Flagged) => writeDomain(out, domain).optionalString(undefined).uint(flags),
    done,
  ),
  abortJob: procedure(164, (out, args: { domain: DomainRef }) => writeDomain(out, args.domain), done),
  injectNmi: procedure(210, flagged, done),
  state: procedure(212, flagged, (reply) => ({ state: reply.int(), reason: reply.int() })),
  undefine: procedure(231, flagged, done),
  destroy: procedure(234, flagged, done),
  reset: procedure(245, flagged, done),
  shutdown: procedure(258, flagged, done),
  listAll: procedure(
    273,
    (out, args: { flags: number }) => out.int(1).uint(args.flags),
    (reply) => reply.array(DOMAIN_LIST_MAX, readDomain),
  ),
  jobStats: procedure(298, flagged, (reply): JobStats => {
    const type = reply.int();
    const facts = new Map(reply.array(TYPED_PARAMETERS_MAX, readTyped));
    return { type, operation: Number(facts.get('operation') ?? 0), message: String(facts.get('errmsg') ?? '') };
  }),
  /** Of one domain; an empty answer is one that is gone. */
  stats: procedure(
    344,
    (out, args: { domain: DomainRef; stats: number; flags: number }) =>
      writeDomain(out.uint(1), args.domain).uint(args.stats).uint(args.flags),
    (reply): DomainStats => {
      const records = reply.array(DOMAIN_LIST_MAX, (item) => {
        readDomain(item);
        return new Map(item.array(STATS_MAX, readTyped));
      });
      return records[0] ?? new Map();
    },
  ),
  registerEvent: procedure(
    316,
    (out, args: { event: number }) => out.int(args.event).uint(0),
    (reply) => reply.int(),
  ),
  domainCapabilities: procedure(
    342,
    (out, args: { machine: string; virtType: string }) =>
      out
        .optionalString(undefined)
        .optionalString('x86_64')
        .optionalString(args.machine)
        .optionalString(args.virtType)
        .uint(0),
    (reply) => reply.string(),
  ),
  define: procedure(
    350,
    (out, args: { xml: string; flags: number }) => out.string(args.xml).uint(args.flags),
    readDomain,
  ),
  /** No mount points: all file systems. */
  freeze: procedure(
    335,
    (out, args: Flagged) => writeDomain(out, args.domain).uint(0).uint(args.flags),
    (reply) => reply.int(),
  ),
  thaw: procedure(
    336,
    (out, args: Flagged) => writeDomain(out, args.domain).uint(0).uint(args.flags),
    (reply) => reply.int(),
  ),
  /** By the agent in the guest; the password as it is typed. */
  setUserPassword: procedure(
    357,
    (out, { domain, user, password }: { domain: DomainRef; user: string; password: string }) =>
      writeDomain(out, domain).optionalString(user).optionalString(password).uint(0),
    done,
  ),
  agentTimeout: procedure(
    420,
    (out, args: Flagged & { seconds: number }) => writeDomain(out, args.domain).int(args.seconds).uint(args.flags),
    (reply) => reply.int(),
  ),
  /** Without a checkpoint. */
  backupBegin: procedure(
    421,
    (out, args: Flagged & { xml: string }) =>
      writeDomain(out, args.domain).string(args.xml).optionalString(undefined).uint(args.flags),
    done,
  ),
  /** A command of QEMU's own monitor (QMP); answers with its JSON. Only for what libvirt has no word for. */
  monitor: procedure(
    1,
    (out, args: { domain: DomainRef; command: string }) => writeDomain(out, args.domain).string(args.command).uint(0),
    (reply) => reply.string(),
    QEMU_PROGRAM,
  ),
} as const;

/** VIR_DRV_FEATURE_PROGRAM_KEEPALIVE: asking for it turns the server's keepalive on. */
export const FEATURE_KEEPALIVE = 10;

export const EVENT_ID = { lifecycle: 0 } as const;
/** Numbers of event messages (REMOTE_PROC_DOMAIN_EVENT_CALLBACK_…). */
export const EVENT_PROCEDURE = { lifecycle: 318 } as const;

export interface LifecycleEvent {
  readonly domain: DomainRef;
  readonly event: number;
  readonly detail: number;
}

export function readLifecycle(message: XdrReader): LifecycleEvent {
  message.int(); // the callback's number: one subscription, so it says nothing
  return { domain: readDomain(message), event: message.int(), detail: message.int() };
}

export interface RemoteError {
  readonly code: number;
  readonly domain: number;
  readonly message: string;
}

/** The leading fields of virNetMessageError; the rest repeats the message. */
export function readError(reply: XdrReader): RemoteError {
  return { code: reply.int(), domain: reply.int(), message: reply.optionalString() ?? 'libvirt gave no reason' };
}
