/**
 * The disks of a server as they were before a resize, to be had back until its owner decides. What is kept is a snapshot
 * inside each disk, so that keeping and going back take no longer for a large disk than for a small one, and an encrypted
 * disk stays encrypted. A mark in the server's folder says that a state is kept whole; without it nothing is gone back to.
 *
 * Everything here may be cut off and repeated while the guest is off:
 * keep: snapshots, then the mark. restore: back to the snapshots, then no mark, then no snapshots. forget: no snapshots,
 * then no mark. What is left over of another epoch goes first, so no state is ever mistaken for another.
 */
import type { Run } from '../exec/run.js';
import { GuestDisk } from './guest-disk.js';
import type { Instances } from './instances.js';
import type { NewDisk } from './qemu-img.js';

const PREFIX = 'undo-';
const nameOf = (epoch: number): string => `${PREFIX}${epoch}`;
export const isUndoSnapshot = (name: string): boolean => name.startsWith(PREFIX);

export class DiskUndo {
  constructor(
    private readonly run: Run,
    private readonly instances: Instances,
  ) {}

  /** True when the guest has to be off for what is asked. */
  async needsOff(serverId: string, undo: string, epoch: number): Promise<boolean> {
    const kept = (await this.instances.undoMarks(serverId)).includes(epoch);
    return (undo === 'keep' && !kept) || (undo === 'restore' && kept);
  }

  /** True when something is kept that nobody wants any more. */
  async hasLeftovers(serverId: string, undo: string): Promise<boolean> {
    return undo !== 'keep' && (await this.instances.undoMarks(serverId)).length > 0;
  }

  /** For a guest that is off. The first disk is the one that every state has; the others may have come or gone. */
  async settle(serverId: string, undo: string, epoch: number, disks: readonly NewDisk[]): Promise<void> {
    const marks = await this.instances.undoMarks(serverId);
    if (undo === 'keep') return marks.includes(epoch) ? undefined : this.#keep(serverId, epoch, disks);
    if (!marks.length && undo !== 'restore') return;
    if (undo === 'restore' && marks.includes(epoch)) {
      for (const [index, disk] of disks.entries()) await this.#goBack(disk, nameOf(epoch), index === 0);
      await this.instances.unmarkUndo(serverId);
    }
    await this.#dropSnapshots(disks);
    await this.instances.unmarkUndo(serverId);
  }

  /** A disk that was not the server's when the state was kept has nothing changed since. */
  async #goBack({ path, key }: NewDisk, name: string, always: boolean): Promise<void> {
    const disk = new GuestDisk(this.run, path, key);
    if (always || (await disk.look()).snapshots.includes(name)) await disk.goBackTo(name);
  }

  async #keep(serverId: string, epoch: number, disks: readonly NewDisk[]): Promise<void> {
    await this.#dropSnapshots(disks, nameOf(epoch));
    await this.instances.unmarkUndo(serverId);
    for (const { path, key } of disks) {
      const disk = new GuestDisk(this.run, path, key);
      if (!(await disk.look()).snapshots.includes(nameOf(epoch))) await disk.snapshot(nameOf(epoch));
    }
    await this.instances.markUndo(serverId, epoch);
  }

  async #dropSnapshots(disks: readonly NewDisk[], but = ''): Promise<void> {
    for (const { path, key } of disks) {
      const disk = new GuestDisk(this.run, path, key);
      const { snapshots } = await disk.look();
      for (const name of snapshots.filter((one) => isUndoSnapshot(one) && one !== but)) await disk.forget(name);
    }
  }

  /** After the snapshots went from under a running guest. */
  forgotten(serverId: string): Promise<void> {
    return this.instances.unmarkUndo(serverId);
  }

  /** Makes a disk that large, if it is smaller. For a guest that is off. */
  async grow({ path, key }: NewDisk, bytes: number): Promise<void> {
    const disk = new GuestDisk(this.run, path, key);
    if ((await disk.look()).bytes < bytes) await disk.growTo(bytes);
  }
}
