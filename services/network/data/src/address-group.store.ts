/** What clients do with address groups, each as one transaction. */
import type { Db, Tx } from '#libs/platform/db';
import {
  type AddressGroup,
  addressGroupInUse,
  addressGroupNotFound,
  checkAdded,
  checkTaken,
} from '#services/network/domain';
import {
  type AddressGroupChange,
  type AddressGroupRepo,
  isAddressGroupUsed,
  type NewAddressGroup,
} from './address-group.repo.js';
import { markAndRecord } from './journal.js';
import { expectRevision } from './revision.js';
import type { Sharing } from './sharing.js';

export class AddressGroupStore {
  constructor(
    private readonly db: Db,
    private readonly groups: AddressGroupRepo,
    private readonly sharing: Sharing,
  ) {}

  /** All of them or none. */
  create(drafts: readonly NewAddressGroup[], now: Date): Promise<AddressGroup[]> {
    return this.db.tx(async (tx) => {
      for (const draft of drafts) await this.groups.insert(tx, draft, now);
      const ids = drafts.map((draft) => draft.id);
      await changed(tx, ids, 'address group created', now);
      const made = new Map((await this.groups.findMany(tx, ids)).map((group) => [group.id, group]));
      return ids.map((id) => made.get(id)!);
    });
  }

  update(id: string, change: AddressGroupChange, now: Date, revision?: number): Promise<AddressGroup> {
    return this.change(id, 'address group updated', now, revision, (tx) => this.groups.update(tx, id, change, now));
  }

  addAddresses(id: string, addresses: readonly string[], now: Date, revision?: number): Promise<AddressGroup> {
    return this.change(id, 'addresses added', now, revision, async (tx, { addresses: present }) => {
      checkAdded(id, present, addresses);
      await this.groups.add(tx, id, addresses);
      await this.groups.update(tx, id, {}, now);
    });
  }

  removeAddresses(id: string, addresses: readonly string[], now: Date, revision?: number): Promise<AddressGroup> {
    return this.change(id, 'addresses removed', now, revision, async (tx, { addresses: present }) => {
      checkTaken(id, present, addresses);
      await this.groups.remove(tx, id, addresses);
      await this.groups.update(tx, id, {}, now);
    });
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        await expectRevision(tx, 'address_group', id, revision);
        if (!(await this.groups.delete(tx, id))) throw addressGroupNotFound(id);
        await changed(tx, [id], 'address group deleted', now);
        await this.sharing.forget(tx, id);
      });
    } catch (error) {
      throw isAddressGroupUsed(error) ? addressGroupInUse(id) : error;
    }
  }

  private change(
    id: string,
    what: string,
    now: Date,
    revision: number | undefined,
    work: (tx: Tx, before: AddressGroup) => Promise<void>,
  ): Promise<AddressGroup> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'address_group', id, revision);
      const before = await this.groups.lock(tx, id);
      if (!before) throw addressGroupNotFound(id);
      await work(tx, before);
      await changed(tx, [id], what, now);
      return (await this.groups.find(tx, id))!;
    });
  }
}

const changed = (tx: Tx, ids: readonly string[], what: string, now: Date): Promise<void> =>
  markAndRecord(
    tx,
    'address_group',
    ids,
    ids.map((id) => ({ resourceId: id, what })),
    now,
  );
