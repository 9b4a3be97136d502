/**
 * The disks of a server beside its root disk. A disk that was made is never made anew: where it is lost the server is told
 * so, except for swap, which holds nothing. One that the server does not have any more stays as long as a resize can be
 * reverted.
 */
import type { computeV1 } from '#libs/contract';
import { fail } from '#libs/kernel';
import { makeBlank } from '../disk/blank-disk.js';
import type { Instances } from '../disk/instances.js';
import type { NewDisk } from '../disk/qemu-img.js';
import { type LocalDisk, serialOf } from '../domain/disks-xml.js';
import type { Run } from '../exec/run.js';
import { DISK_BUSES, type DiskBus } from '../hardware/hardware.js';
import type { DiskKeys } from './disk-keys.js';
import type { ServerSpec } from './driver.js';

const MIB = 1 << 20;

export function busNamed(name: string): DiskBus | undefined {
  const bus = DISK_BUSES.find((known) => known === name);
  if (name && !bus) throw fail.conflict(`this node has no disks on ${name.slice(0, 20)}`);
  return bus;
}

export class LocalDisks {
  constructor(
    private readonly run: Run,
    private readonly instances: Instances,
  ) {}

  /** As the domain is to have them. */
  of({ serverId, localDisks }: ServerSpec): LocalDisk[] {
    return localDisks.map(({ diskId, bus, encrypted }) => ({
      path: this.instances.localDisk(serverId, diskId),
      bus: busNamed(bus),
      serial: serialOf(diskId),
      secretId: encrypted ? diskId : undefined,
    }));
  }

  /** Those that are there. */
  async existing({ serverId, localDisks }: ServerSpec, keys: DiskKeys): Promise<NewDisk[]> {
    const disks = localDisks.map(({ diskId }) => ({
      path: this.instances.localDisk(serverId, diskId),
      key: keys.get(diskId),
    }));
    const found = await Promise.all(disks.map(({ path }) => this.instances.has(path)));
    return disks.filter((_, index) => found[index]);
  }

  /** Makes what is missing, and has `grow` make what is there as large as the spec says. */
  async make(
    spec: ServerSpec,
    keys: DiskKeys,
    grow: (disk: NewDisk, bytes: number) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { serverId, localDisks } = spec;
    for (const [index, disk] of localDisks.entries()) {
      const path = this.instances.localDisk(serverId, disk.diskId);
      const key = keys.get(disk.diskId);
      if (await this.instances.has(path)) {
        if (spec.undo === 'keep') await grow({ path, key }, disk.sizeMb * MIB);
        continue;
      }
      if (disk.made && disk.kind !== 'swap')
        throw fail.conflict(`the disk ${disk.diskId} of the server is not on this node`);
      await makeBlank(this.run, { path, key, ...shapeOf(disk, index) }, signal);
    }
  }

  /** Drops what the server has no more, unless it can be had back. */
  async drop({ serverId, localDisks, undo }: ServerSpec): Promise<void> {
    if (undo === 'keep') return;
    const wanted = localDisks.map(({ diskId }) => diskId);
    await this.instances.dropLocalDisks(serverId, wanted);
  }
}

const shapeOf = ({ sizeMb, format }: computeV1.LocalDisk, index: number) => ({
  bytes: sizeMb * MIB,
  format,
  label: `ephemeral${index}`,
});
