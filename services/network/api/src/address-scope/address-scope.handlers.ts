import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { ADDRESS_SCOPE_FIELDS } from '#services/network/data';
import { type AddressScope, type IpVersion, reaches, scopeNotFound } from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, demand, idOf, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import { type AddressScopeChangeBody, addressScopeView, type NewAddressScopeBody } from './address-scope.wire.js';

@Injectable()
export class AddressScopeHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<AddressScope> {
    const id = idOf(call, scopeNotFound);
    const scope = await this.parts.books.addressScopes.find(this.parts.books.db, id);
    if (!scope || !(reaches(scope.sharedWith, call.who.projectId) || mayKnow(call.who, scope.projectId)))
      throw scopeNotFound(id);
    return scope;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { address_scope: item } = call.body as { address_scope: NewAddressScopeBody };
    const projectId = ownerOf(call, 'create_address_scope', item);
    const shared = isOn(item.shared) ?? false;
    if (shared) demand(call, 'create_address_scope:shared');
    const version = Number(item.ip_version) as IpVersion;
    const draft = { id: this.parts.ids.uuid(), projectId, name: item.name ?? '', version };
    const made = await this.parts.books.addressScopeStore.create(draft, shared, this.parts.now());
    return { body: { address_scope: addressScopeView(made, call.who) } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, ADDRESS_SCOPE_FIELDS);
    const { books } = this.parts;
    const page = await books.addressScopes.list(books.db, request, scopeOf(call.who));
    return { body: listBody('address_scopes', page, request, call, (scope) => addressScopeView(scope, call.who)) };
  }

  show(call: AnyCall, scope: AddressScope): Reply {
    const { fields } = readList(call.query, ADDRESS_SCOPE_FIELDS);
    return { body: { address_scope: pick(addressScopeView(scope, call.who), fields) } };
  }

  async update(call: AnyCall, scope: AddressScope): Promise<Reply> {
    const { address_scope: item } = call.body as { address_scope: AddressScopeChangeBody };
    const shared = isOn(item.shared);
    if (shared) demand(call, 'update_address_scope:shared');
    if (shared === false && reaches(scope.sharedWith, undefined)) throw unsharing(scope.id);
    const change = { name: item.name, shared };
    const after = await this.parts.books.addressScopeStore.update(scope, change, this.parts.now(), revisionOf(call));
    return { body: { address_scope: addressScopeView(after, call.who) } };
  }

  async remove(call: AnyCall, scope: AddressScope): Promise<Reply> {
    await this.parts.books.addressScopeStore.delete(scope.id, this.parts.now(), revisionOf(call));
    return {};
  }
}

const unsharing = (id: string): Error =>
  fail.invalid(`Unable to update address scope ${id} : Shared address scope can't be unshared.`, {
    type: 'AddressScopeUpdateError',
  });
