/** What a server is: the words of its states and the parts of its row. Names are ours; Nova's stand in `*.wire.ts`. */

export const VM_STATES = [
  'building',
  'active',
  'stopped',
  'paused',
  'suspended',
  'rescued',
  /** Of another flavor than before, until the owner confirms or reverts. */
  'resized',
  /** Its disk is an image; it holds its place on the node. */
  'shelved',
  /** Its disk is an image; it is on no node and has no claim. */
  'shelved_offloaded',
  'error',
  'deleted',
] as const;
export type VmState = (typeof VM_STATES)[number];

export const TASK_STATES = [
  'scheduling',
  'networking',
  'spawning',
  'powering-on',
  'powering-off',
  'rebooting',
  'rebooting_hard',
  'pausing',
  'unpausing',
  'suspending',
  'resuming',
  'rebuilding',
  'rescuing',
  'unrescuing',
  'resize_prep',
  'resize_reverting',
  'resize_confirming',
  'image_snapshot',
  'image_backup',
  'updating_password',
  'shelving',
  'shelving_offloading',
  'unshelving',
  'deleting',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** What the node is to make of it: `paused` in memory, `suspended` to the disk. */
export type DesiredPower = 'running' | 'stopped' | 'paused' | 'suspended' | 'absent';
export type RebootKind = 'SOFT' | 'HARD';

/** Power states by Nova's and libvirt's numbers; a suspended guest is off. */
export const POWER = { none: 0, running: 1, paused: 3, stopped: 4, suspended: 4, crashed: 6 } as const;
export type PowerNumber = (typeof POWER)[keyof typeof POWER];

/** The flavor as it was when the server was made. */
export interface FlavorSnapshot {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
  readonly ephemeralGb: number;
  readonly swapMb: number;
  readonly rxtxFactor: number;
  readonly extraSpecs: Readonly<Record<string, string>>;
}

/** The image as it was when the server was made; the bytes of an image never change. */
export interface ImageSnapshot {
  readonly name: string;
  readonly diskFormat: string;
  readonly size: number;
  readonly virtualSize: number;
  readonly sha256: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** A change of flavor from its request until it is confirmed or reverted. The server counts for the larger of both. */
export interface Resize {
  readonly from: FlavorSnapshot;
  readonly to: FlavorSnapshot;
  /** What the server was, and will be again. */
  readonly vmState: 'active' | 'stopped';
  /** ISO 8601: since when it waits for a decision; null while it is being made. */
  readonly at: string | null;
}

/** What the node is to do about the disks as they were before a resize. */
export type Undo = '' | 'keep' | 'restore';

/** What a server boots from while it is rescued. */
export interface RescueDisk {
  readonly imageId: string;
  readonly image: ImageSnapshot;
  /** Another one for each rescue. */
  readonly epoch: number;
  /** The node has the disk. */
  readonly made: boolean;
}

/** What a node does once with a guest that is otherwise left as it is. */
export type Errand = 'interrupt' | 'password';

/** A network interface as asked for, its port's id chosen before the first step. */
export interface Nic {
  readonly portId: string;
  /** The tenant's own port, which outlives the server. */
  readonly adopt: boolean;
  readonly networkId: string;
  /** The address asked for, or ''. */
  readonly fixedIp: string;
  readonly tag: string;
  /** On its way out: shown as long as it is there, and not told to the node any more. */
  readonly leaving?: boolean;
}

export interface FixedIp {
  readonly subnetId: string;
  readonly address: string;
  readonly version: 4 | 6;
}

/** A port as network told last. */
export interface Interface {
  readonly portId: string;
  readonly networkId: string;
  /** The network's name, by which Nova groups addresses. */
  readonly network: string;
  readonly mac: string;
  readonly mtu: number;
  readonly adopted: boolean;
  readonly tag: string;
  readonly fixedIps: readonly FixedIp[];
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
}

/** Why it is in error, for the tenant; `details` for administrators alone. */
export interface Fault {
  readonly code: number;
  readonly message: string;
  readonly details: string;
  /** ISO 8601. */
  readonly created: string;
}

export interface InjectedFile {
  readonly path: string;
  /** Base64. */
  readonly contents: string;
}

/** What a server counts for in quota and placement. */
export interface ServerSize {
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
}

/** The row, without what is sealed. */
export interface Server {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  readonly name: string;
  readonly hostname: string;
  readonly description: string | null;
  readonly vmState: VmState;
  readonly taskState: TaskState | null;
  readonly powerState: number;
  readonly power: DesiredPower;
  readonly generation: number;
  readonly rebootCount: number;
  readonly rebootKind: RebootKind | '';
  /** Number of the root disk's contents: raised, it makes the node begin a new disk from the image. */
  readonly diskEpoch: number;
  /** The highest such number that a node has made; below `diskEpoch` the node needs the image. */
  readonly diskMade: number;
  /** Of the latest rescue; it counts while the server is being rescued or is so. */
  readonly rescue: RescueDisk | null;
  readonly resize: Resize | null;
  readonly undo: Undo;
  /** Another one for each state that is kept. */
  readonly undoEpoch: number;
  readonly fence: number;
  readonly seq: number;
  readonly host: string | null;
  readonly hypervisorId: string | null;
  readonly availabilityZone: string | null;
  readonly pinnedZone: string | null;
  readonly imageId: string | null;
  readonly image: ImageSnapshot | null;
  readonly flavor: FlavorSnapshot;
  readonly flavorId: string;
  readonly keyName: string | null;
  readonly keyType: string | null;
  readonly keyData: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly systemMetadata: Readonly<Record<string, string>>;
  readonly configDrive: boolean;
  readonly nics: readonly Nic[];
  readonly addresses: readonly Interface[];
  readonly securityGroups: readonly SecurityGroup[];
  readonly tags: readonly string[];
  readonly groupId: string | null;
  readonly schedulerHints: Readonly<Record<string, unknown>>;
  readonly accessIpV4: string;
  readonly accessIpV6: string;
  readonly diskConfig: 'AUTO' | 'MANUAL';
  readonly lockedBy: 'owner' | 'admin' | null;
  readonly lockedReason: string | null;
  readonly fault: Fault | null;
  readonly reservationId: string;
  readonly launchIndex: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly launchedAt: Date | null;
  readonly terminatedAt: Date | null;
}

/** What the tenant sent that must not lie open in a database. Each is bound to the server's id when sealed. */
export interface ServerSecrets {
  /** Base64, as sent. */
  readonly userData: string | null;
  readonly adminPass: string | null;
  /** Of the guest that runs, while it is being changed. */
  readonly newPass: string | null;
  readonly files: readonly InjectedFile[];
}

export const sizeOf = (flavor: FlavorSnapshot): ServerSize => ({
  vcpus: flavor.vcpus,
  memoryMb: flavor.memoryMb,
  diskGb: flavor.diskGb + flavor.ephemeralGb + Math.ceil(flavor.swapMb / 1024),
});
