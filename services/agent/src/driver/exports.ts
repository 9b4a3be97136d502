/**
 * Copies of root disks, sent to the image service. A copy lies beside the disk while it is made and sent, and is gone
 * afterwards, whatever came of it; what a dead agent left is cleared before anything else is done with the server.
 * A copy that was sent is not sent again: the image service says so before it begins.
 */
import { rm, stat, statfs } from 'node:fs/promises';
import { fail } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { sendFile } from '../disk/image-upload.js';
import type { Instances } from '../disk/instances.js';
import { flattenDisk } from '../disk/qemu-img.js';
import type { DomainInput } from '../domain/domain-xml.js';
import type { Run } from '../exec/run.js';
import type { Backups, Quiesce } from './backups.js';
import type { Domains } from './domains.js';
import type { ServerSpec } from './driver.js';
import { Limiter } from './limiter.js';

export interface ExportsOptions {
  readonly instances: Instances;
  readonly run: Run;
  readonly log: Log;
  /** Bytes that are never used up by copies. */
  readonly reserveBytes?: number;
}

/** Copies made and sent at a time; the others wait. */
const AT_A_TIME = 2;
const MIB = 1 << 20;

export class Exports {
  readonly #options: ExportsOptions;
  readonly #domains: Domains;
  readonly #backups: Backups;
  readonly #limiter = new Limiter(AT_A_TIME);

  constructor(options: ExportsOptions, domains: Domains, backups: Backups) {
    this.#options = options;
    this.#domains = domains;
    this.#backups = backups;
  }

  /** Removes what an interrupted copy left, and ends its job. */
  async clear(serverId: string): Promise<void> {
    const { instances } = this.#options;
    const path = instances.copy(serverId);
    if (!(await instances.has(path))) return;
    const domain = await this.#domains.find(serverId);
    if (domain) {
      await this.#backups.end(domain);
      await this.#backups.thaw(domain);
    }
    await rm(path, { force: true });
  }

  /** Makes and sends the copy that the spec asks for. Throws kernel Failures. */
  async make(spec: ServerSpec, disk: DomainInput['disk'], signal: AbortSignal): Promise<void> {
    const { imageId, uploadUrl, trouble } = spec.export!;
    if (trouble) throw fail.conflict(trouble);
    if (spec.rootDisk?.encrypted) throw fail.conflict('an encrypted disk does not leave its node');
    if (!uploadUrl) return;
    await this.#limiter.run(async () => {
      signal.throwIfAborted();
      const path = this.#options.instances.copy(spec.serverId);
      const began = performance.now();
      await this.clear(spec.serverId);
      try {
        await this.#copy(spec, disk, path, signal);
        const copied = performance.now();
        const bytes = await sendFile(path, uploadUrl, signal);
        const ms = { copy: Math.round(copied - began), upload: Math.round(performance.now() - copied) };
        this.#options.log.info(
          { serverId: spec.serverId, image: imageId, bytes, ms },
          'a disk was copied into an image',
        );
      } finally {
        await rm(path, { force: true });
      }
    });
  }

  async #copy(spec: ServerSpec, disk: DomainInput['disk'], path: string, signal: AbortSignal): Promise<void> {
    const { serverId } = spec;
    await this.#assertRoom(disk);
    const power = await this.#domains.power(serverId);
    const domain = power === 'running' || power === 'paused' ? await this.#domains.find(serverId) : undefined;
    if (domain) {
      const quiesce = power === 'running' ? (spec.export!.quiesce as Quiesce) : '';
      return this.#backups.run(domain, disk.path, path, quiesce, signal);
    }
    return flattenDisk(this.#options.run, disk.path, path, signal);
  }

  /** The copy is no larger than what its chain takes up. */
  async #assertRoom({ path, basePath }: DomainInput['disk']): Promise<void> {
    const sizes = await Promise.all([path, basePath].map((file) => stat(file)));
    const needed = sizes.reduce((sum, { blocks }) => sum + blocks * 512, 0);
    const { bavail, bsize } = await statfs(this.#options.instances.folder);
    if (bavail * bsize - needed < (this.#options.reserveBytes ?? 256 * MIB))
      throw fail.overQuota(`the node has no room for a copy of the disk, which needs ${Math.ceil(needed / MIB)} MB`);
  }
}
