/**
 * The folder of each server on this node: its overlay, its config drive, its console log, and the spec it was last made
 * from, which the metadata service answers from when compute is away. Files appear under their names complete.
 */
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { computeV1 } from '#libs/contract';
import { isUuid } from '#libs/kernel';
import { toldAs } from '../metadata/told.js';

type ServerSpec = computeV1.ServerSpec;

/** Names of files that belong to one epoch of the root disk; the first has no number. */
const NUMBERED = /^[a-z]+[0-9]*(?:-([0-9]+))?\.(?:qcow2|iso)$/;
const UNDO = /^undo\.([0-9]+)$/;
const unsigned = (image: computeV1.ImageSource | undefined) => image && { ...image, url: '' };
const LOCAL = /^local\.([0-9a-f-]{36})\.qcow2$/;
const RESCUE = /^rescue\.([0-9]+)\.(?:qcow2|iso)$/;
const numbered = (name: string, epoch: number, suffix: string): string =>
  `${name}${epoch > 1 ? `-${epoch}` : ''}.${suffix}`;

export class Instances {
  readonly folder: string;
  readonly #specs = new Map<string, ServerSpec>();
  /** What is written of each server, one after the other. */
  readonly #writing = new Map<string, Promise<unknown>>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Reads what is there. QEMU's user must pass through the folder, so it is searchable but not readable. */
  async start(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await chmod(this.folder, 0o711);
    for (const serverId of await this.list()) {
      const bytes = await readFile(this.#spec(serverId)).catch(() => undefined);
      if (bytes) this.#specs.set(serverId, computeV1.ServerSpec.decode(bytes));
    }
  }

  /** The root disk with the contents of that number. */
  disk = (serverId: string, epoch = 1): string => join(this.#of(serverId), numbered('disk', epoch, 'qcow2'));
  configDrive = (serverId: string, epoch = 1): string => join(this.#of(serverId), numbered('config', epoch, 'iso'));
  rescueDisk = (serverId: string, epoch: number): string => join(this.#of(serverId), `rescue.${epoch}.qcow2`);
  rescueDrive = (serverId: string, epoch: number): string => join(this.#of(serverId), `rescue.${epoch}.iso`);
  /** A disk beside the root disk, by its own id. */
  localDisk = (serverId: string, diskId: string): string => {
    if (!isUuid(diskId)) throw new Error('the id of a disk is a UUID');
    return join(this.#of(serverId), `local.${diskId}.qcow2`);
  };
  /** A copy of the root disk on its way to the image service. */
  copy = (serverId: string): string => join(this.#of(serverId), 'copy.qcow2');
  console = (serverId: string): string => join(this.#of(serverId), 'console.log');
  layout = (serverId: string): string => join(this.#of(serverId), 'layout.json');

  spec(serverId: string): ServerSpec | undefined {
    return this.#specs.get(serverId);
  }

  specs(): ServerSpec[] {
    return [...this.#specs.values()];
  }

  async has(path: string): Promise<boolean> {
    return (await stat(path).catch(() => undefined)) !== undefined;
  }

  /**
   * Keeps the spec without the signed address of its image and without what is done once. A spec that names no image (it is told of only until the
   * disk is made) keeps the one that the disk was made from.
   */
  save(spec: ServerSpec): Promise<void> {
    return this.#serially(spec.serverId, () => this.#save(spec));
  }

  /**
   * Keeps what the guest is told by this spec; of the rest, what is kept stands. Older news than those are ignored.
   * Returns what is kept then: nothing where the server has not been made here.
   */
  tell(spec: ServerSpec): Promise<ServerSpec | undefined> {
    return this.#serially(spec.serverId, async () => {
      const kept = this.#specs.get(spec.serverId);
      if (kept && kept.news < spec.news) await this.#write(toldAs(kept, spec));
      return this.#specs.get(spec.serverId);
    });
  }

  /** A spec that was fetched before the latest news does not take them back. */
  async #save(spec: ServerSpec): Promise<void> {
    const image = unsigned(spec.image) ?? this.#specs.get(spec.serverId)?.image;
    const rescue = spec.rescue && { ...spec.rescue, image: unsigned(spec.rescue.image) };
    const kept: ServerSpec = { ...spec, image, rescue, errand: undefined };
    const before = this.#specs.get(spec.serverId);
    await this.#write(before && before.news > spec.news ? toldAs(kept, before) : kept);
  }

  async #write(spec: ServerSpec): Promise<void> {
    await mkdir(this.#of(spec.serverId), { recursive: true });
    await chmod(this.#of(spec.serverId), 0o711);
    const path = this.#spec(spec.serverId);
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(computeV1.ServerSpec.encode(spec).finish());
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    this.#specs.set(spec.serverId, spec);
  }

  /** Removes disks and drives of lower epochs; those of this one are complete. */
  async dropBefore(serverId: string, epoch: number): Promise<void> {
    for (const name of await readdir(this.#of(serverId))) {
      const match = NUMBERED.exec(name);
      if (match && Number(match[1] ?? 1) < epoch) await rm(join(this.#of(serverId), name), { force: true });
    }
  }

  /** Removes what rescues other than that one have left; 0 is none. */
  async dropRescues(serverId: string, but: number): Promise<void> {
    for (const name of await readdir(this.#of(serverId))) {
      const match = RESCUE.exec(name);
      if (match && Number(match[1]) !== but) await rm(join(this.#of(serverId), name), { force: true });
    }
  }

  /** Removes disks beside the root disk that are none of those. */
  async dropLocalDisks(serverId: string, but: readonly string[]): Promise<void> {
    for (const name of await readdir(this.#of(serverId)).catch((): string[] => [])) {
      const diskId = LOCAL.exec(name)?.[1];
      if (diskId !== undefined && !but.includes(diskId)) await rm(join(this.#of(serverId), name), { force: true });
    }
  }

  /** Which states of the disks are kept whole. */
  async undoMarks(serverId: string): Promise<number[]> {
    const names = await readdir(this.#of(serverId)).catch((): string[] => []);
    return names.flatMap((name) => UNDO.exec(name)?.[1] ?? []).map(Number);
  }

  async markUndo(serverId: string, epoch: number): Promise<void> {
    const file = await open(join(this.#of(serverId), `undo.${epoch}`), 'w', 0o600);
    await file.sync();
    await file.close();
  }

  async unmarkUndo(serverId: string): Promise<void> {
    for (const epoch of await this.undoMarks(serverId))
      await rm(join(this.#of(serverId), `undo.${epoch}`), { force: true });
  }

  remove(serverId: string): Promise<void> {
    return this.#serially(serverId, async () => {
      await rm(this.#of(serverId), { recursive: true, force: true });
      this.#specs.delete(serverId);
    });
  }

  /** Servers with a folder. */
  async list(): Promise<string[]> {
    return (await readdir(this.folder)).filter(isUuid);
  }

  async #serially<T>(serverId: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#writing.get(serverId) ?? Promise.resolve()).then(work);
    const ended = result.catch(() => undefined);
    this.#writing.set(serverId, ended);
    try {
      return await result;
    } finally {
      if (this.#writing.get(serverId) === ended) this.#writing.delete(serverId);
    }
  }

  #of(serverId: string): string {
    if (!isUuid(serverId)) throw new Error('a server id is a UUID');
    return join(this.folder, serverId);
  }

  #spec(serverId: string): string {
    return join(this.#of(serverId), 'spec.pb');
  }
}
