/**
 * The kinds of long operations and their inputs. Inputs are fixed when the task is inserted: every id that a flow will
 * make is among them, and nothing that could be a secret.
 */
import type { Renewals } from './block-device.js';
import type { NodeDemand } from './server.demand.js';
import type { ImageDraft } from './server.image.js';
import type { ImageSnapshot, Nic, RebootKind, RescueDisk, Resize, ServerSize } from './server.js';

export const SERVER_CREATE = 'server.create';
export const SERVER_DELETE = 'server.delete';
export const SERVER_START = 'server.start';
export const SERVER_STOP = 'server.stop';
export const SERVER_REBOOT = 'server.reboot';
export const SERVER_PAUSE = 'server.pause';
export const SERVER_UNPAUSE = 'server.unpause';
export const SERVER_SUSPEND = 'server.suspend';
export const SERVER_RESUME = 'server.resume';
export const SERVER_ATTACH_INTERFACE = 'server.attach-interface';
export const SERVER_DETACH_INTERFACE = 'server.detach-interface';
export const SERVER_CHANGE_PASSWORD = 'server.change-password';
export const SERVER_TRIGGER_CRASH_DUMP = 'server.trigger-crash-dump';
export const SERVER_REBUILD = 'server.rebuild';
export const SERVER_RESCUE = 'server.rescue';
export const SERVER_UNRESCUE = 'server.unrescue';
export const SERVER_CREATE_IMAGE = 'server.create-image';
export const SERVER_CREATE_BACKUP = 'server.create-backup';
export const SERVER_SHELVE = 'server.shelve';
export const SERVER_SHELVE_OFFLOAD = 'server.shelve-offload';
export const SERVER_UNSHELVE = 'server.unshelve';
export const IMAGE_DISCARD = 'image.discard';
export const IMAGE_HOLD = 'image.hold';
export const SERVER_RESIZE = 'server.resize';
export const SERVER_CONFIRM_RESIZE = 'server.confirm-resize';
export const SERVER_REVERT_RESIZE = 'server.revert-resize';

export interface ServerCreateInput extends NodeDemand {
  readonly serverId: string;
  readonly hostname: string;
  /** In order, with their port ids; empty: a server without network. */
  readonly nics: readonly Nic[];
  readonly securityGroupIds: readonly string[];
  readonly size: ServerSize;
  /** The only node it may go to (an administrator's `zone:host`), or ''. */
  readonly onlyHost: string;
  /** The zone asked for, or ''. */
  readonly availabilityZone: string;
  /** Nodes to keep away from, by their hypervisor ids. */
  readonly excludeProviderIds: readonly string[];
  /** The only nodes it may go to, by their hypervisor ids; empty for any, absent in inputs of older tasks. */
  readonly amongProviderIds?: readonly string[];
}

export interface ServerDeleteInput {
  readonly serverId: string;
}

/** `generation`: of the desired state that this operation brings about. */
export interface ServerPowerInput {
  readonly serverId: string;
  readonly generation: number;
}

export interface ServerStartInput extends ServerPowerInput {
  /** It was lost with its node in a state that it keeps. */
  readonly keepsState?: boolean;
}

export interface ServerRebootInput extends ServerPowerInput {
  readonly kind: RebootKind;
  /** The count that the node must report to have done it. */
  readonly rebootCount: number;
}

/** With what the new image and the flavor demand: its node must meet it. */
export interface ServerRebuildInput extends ServerPowerInput, NodeDemand {
  /** As it was before and will be again. */
  readonly power: 'running' | 'stopped';
  readonly size: ServerSize;
  /** Disks that begin anew; absent in inputs of older tasks. */
  readonly renewals?: Renewals;
  /** What the disk was made from, to go back to where the node does not take the new image. */
  readonly before: { readonly imageId: string | null; readonly image: ImageSnapshot | null };
}

export interface ServerRescueInput extends ServerPowerInput {
  readonly rescue: RescueDisk;
}

/** Something done once with the guest of a server that stays as it is. */
export interface ServerErrandInput {
  readonly serverId: string;
}

/** The image that the server's disk becomes. */
export interface ServerImageInput {
  readonly serverId: string;
  readonly image: ImageDraft;
}

export interface ServerBackupInput extends ServerImageInput {
  readonly backupType: string;
  /** How many backups of that type the server keeps. */
  readonly rotation: number;
}

export interface ServerOffloadInput {
  readonly serverId: string;
}

/** The image from which its disk is made again, and, where it is on no node, what it asks of one. */
export interface ServerUnshelveInput {
  readonly serverId: string;
  readonly imageId: string;
  readonly place: ServerCreateInput | null;
  /** Disks that begin anew; absent in inputs of older tasks. */
  readonly renewals?: Renewals;
  /** Of the task that deletes the image afterwards. */
  readonly discardTaskId: string;
}

export interface ImageDiscardInput {
  readonly imageId: string;
  readonly owner: string;
}

/** An image that a node is to have before a server there needs it. */
export interface ImageHoldInput {
  readonly imageId: string;
  readonly node: string;
}

/** With what the new flavor and the image demand of the node. */
export interface ServerResizeInput extends ServerPowerInput, NodeDemand {
  readonly resize: Resize;
}

/** The end of a resize, either way. */
export interface ServerResizedInput extends ServerPowerInput {
  readonly resize: Resize;
}

export interface ServerAttachInterfaceInput {
  readonly serverId: string;
  readonly nic: Nic;
  readonly securityGroupIds: readonly string[];
}

export interface ServerDetachInterfaceInput {
  readonly serverId: string;
  readonly portId: string;
}

export interface TaskInputs {
  [SERVER_CREATE]: ServerCreateInput;
  [SERVER_DELETE]: ServerDeleteInput;
  [SERVER_START]: ServerStartInput;
  [SERVER_STOP]: ServerPowerInput;
  [SERVER_REBOOT]: ServerRebootInput;
  [SERVER_ATTACH_INTERFACE]: ServerAttachInterfaceInput;
  [SERVER_DETACH_INTERFACE]: ServerDetachInterfaceInput;
  [SERVER_PAUSE]: ServerPowerInput;
  [SERVER_UNPAUSE]: ServerPowerInput;
  [SERVER_SUSPEND]: ServerPowerInput;
  [SERVER_RESUME]: ServerPowerInput;
  [SERVER_CHANGE_PASSWORD]: ServerErrandInput;
  [SERVER_TRIGGER_CRASH_DUMP]: ServerErrandInput;
  [SERVER_REBUILD]: ServerRebuildInput;
  [SERVER_RESCUE]: ServerRescueInput;
  [SERVER_UNRESCUE]: ServerPowerInput;
  [SERVER_CREATE_IMAGE]: ServerImageInput;
  [SERVER_CREATE_BACKUP]: ServerBackupInput;
  [SERVER_SHELVE]: ServerImageInput;
  [SERVER_SHELVE_OFFLOAD]: ServerOffloadInput;
  [SERVER_UNSHELVE]: ServerUnshelveInput;
  [IMAGE_DISCARD]: ImageDiscardInput;
  [IMAGE_HOLD]: ImageHoldInput;
  [SERVER_RESIZE]: ServerResizeInput;
  [SERVER_CONFIRM_RESIZE]: ServerResizedInput;
  [SERVER_REVERT_RESIZE]: ServerResizedInput;
}
export type TaskKind = keyof TaskInputs;

/** The resource key of a server's tasks. */
export const serverKey = (id: string): string => `server/${id}`;
/** The resource key of tasks on an image. */
export const imageKey = (id: string): string => `image/${id}`;
