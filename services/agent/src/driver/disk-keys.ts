/**
 * The keys of a server's encrypted disks. They are asked of compute each time they are needed and held no longer than the
 * work that needs them; libvirt is lent them while it starts a domain, as secrets that it keeps in memory alone and tells
 * nobody.
 */
import { fail } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { element, toXml } from '../domain/xml.js';
import type { Libvirt } from '../libvirt/client.js';
import { isNoSecret } from '../libvirt/errors.js';
import { PROCEDURES } from '../libvirt/protocol.js';
import { explained } from './domains.js';
import type { ServerSpec } from './driver.js';

/** Passphrases by the ids of disks. */
export type DiskKeys = ReadonlyMap<string, string>;

/** Ids of those disks of the server that are encrypted. */
export const encryptedDisks = ({ rootDisk, localDisks }: ServerSpec): string[] =>
  [...(rootDisk ? [rootDisk] : []), ...localDisks].filter(({ encrypted }) => encrypted).map(({ diskId }) => diskId);

/** Asks for the keys of a server's disks. Throws `unavailable` where they are not to be had now. */
export type KeySource = (serverId: string) => Promise<Readonly<Record<string, string>>>;

/** Those that the spec needs; nobody is asked where nothing is encrypted. */
export async function keysFor(spec: ServerSpec, source: KeySource): Promise<DiskKeys> {
  const needed = encryptedDisks(spec);
  if (!needed.length) return new Map();
  const known = new Map(Object.entries(await source(spec.serverId)));
  const missing = needed.find((diskId) => !known.has(diskId));
  if (missing) throw fail.unavailable(`compute gives no key for the disk ${missing}`);
  return new Map(needed.map((diskId) => [diskId, known.get(diskId)!]));
}

/** Pure. The disk's id is the secret's, so a domain means the same secret for as long as it has the disk. */
export const secretXml = (diskId: string): string =>
  toXml(
    element(
      'secret',
      { ephemeral: 'yes', private: 'yes' },
      element('uuid', {}, diskId),
      element('description', {}, 'disk of a server'),
    ),
  );

export class LentKeys {
  constructor(
    private readonly libvirt: Libvirt,
    private readonly log: Log,
  ) {}

  /** libvirt has the keys while the work goes on. */
  async during<T>(keys: DiskKeys, work: () => Promise<T>): Promise<T> {
    try {
      for (const [uuid, value] of keys) {
        await this.libvirt.call(PROCEDURES.defineSecret, { xml: secretXml(uuid) });
        await this.libvirt.call(PROCEDURES.setSecret, { uuid, value });
      }
    } catch (error) {
      await this.takeBack([...keys.keys()]);
      throw explained(error);
    }
    try {
      return await work();
    } finally {
      await this.takeBack([...keys.keys()]);
    }
  }

  /** Those that libvirt does not have are taken back too. What it keeps after a failure goes when it ends. */
  async takeBack(diskIds: readonly string[]): Promise<void> {
    for (const uuid of diskIds)
      await this.libvirt.call(PROCEDURES.undefineSecret, { uuid }).catch((error: unknown) => {
        if (isNoSecret(error)) return;
        this.log.warn({ err: error, diskId: uuid }, 'libvirt still has the key of a disk');
      });
  }
}
