/** What clients do with address scopes, each as one transaction. */
import type { Db } from '#libs/platform/db';
import { type AddressScope, scopeInUse, scopeNotFound } from '#services/network/domain';
import { type AddressScopeRepo, isScopeUsed, type NewAddressScope } from './address-scope.repo.js';
import { record } from './journal.js';
import { expectRevision } from './revision.js';
import type { Sharing } from './sharing.js';

export interface AddressScopeChange {
  readonly name?: string | undefined;
  /** Can be said, and not taken back. */
  readonly shared?: boolean | undefined;
}

export class AddressScopeStore {
  constructor(
    private readonly db: Db,
    private readonly scopes: AddressScopeRepo,
    private readonly sharing: Sharing,
  ) {}

  create(scope: NewAddressScope, shared: boolean, now: Date): Promise<AddressScope> {
    return this.db.tx(async (tx) => {
      await this.scopes.insert(tx, scope, now);
      if (shared) await this.sharing.openToAll(tx, { ...scope, type: 'address_scope' }, 'access_as_shared', true);
      await record(tx, [{ resourceId: scope.id, what: 'address scope created' }], now);
      return (await this.scopes.find(tx, scope.id))!;
    });
  }

  update(scope: AddressScope, change: AddressScopeChange, now: Date, revision?: number): Promise<AddressScope> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'address_scope', scope.id, revision);
      if (!(await this.scopes.update(tx, scope.id, change.name, now))) throw scopeNotFound(scope.id);
      if (change.shared)
        await this.sharing.openToAll(tx, { ...scope, type: 'address_scope' }, 'access_as_shared', true);
      await record(tx, [{ resourceId: scope.id, what: 'address scope updated' }], now);
      return (await this.scopes.find(tx, scope.id))!;
    });
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        await expectRevision(tx, 'address_scope', id, revision);
        if (!(await this.scopes.delete(tx, id))) throw scopeNotFound(id);
        await this.sharing.forget(tx, id);
        await record(tx, [{ resourceId: id, what: 'address scope deleted' }], now);
      });
    } catch (error) {
      throw isScopeUsed(error) ? scopeInUse(id) : error;
    }
  }
}
