import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { ADDRESS_GROUP_FIELDS, type NewAddressGroup } from '#services/network/data';
import { type AddressGroup, addressGroupNotFound, reaches, readAddresses } from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf, itemsOf, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import {
  type AddressesBody,
  type AddressGroupChangeBody,
  addressGroupView,
  type NewAddressGroupBody,
} from './address-group.wire.js';

@Injectable()
export class AddressGroupHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<AddressGroup> {
    const id = idOf(call, addressGroupNotFound);
    const group = await this.parts.books.addressGroups.find(this.parts.books.db, id);
    if (!group || !(reaches(group.sharedWith, call.who.projectId) || mayKnow(call.who, group.projectId)))
      throw addressGroupNotFound(id);
    return group;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { items, bulk } = itemsOf<NewAddressGroupBody>(call.body, 'address_group', 'address_groups');
    const drafts = items.map(
      (item): NewAddressGroup => ({
        id: this.parts.ids.uuid(),
        projectId: ownerOf(call, 'create_address_group', item),
        name: item.name ?? '',
        description: item.description ?? '',
        addresses: readAddresses(item.addresses ?? []),
      }),
    );
    const made = await this.parts.books.addressGroupStore.create(drafts, this.parts.now());
    const shown = made.map((group) => addressGroupView(group, call.who));
    return { body: bulk ? { address_groups: shown } : { address_group: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, ADDRESS_GROUP_FIELDS);
    const { books } = this.parts;
    const page = await books.addressGroups.list(books.db, request, scopeOf(call.who));
    return { body: listBody('address_groups', page, request, call, (group) => addressGroupView(group, call.who)) };
  }

  show(call: AnyCall, group: AddressGroup): Reply {
    const { fields } = readList(call.query, ADDRESS_GROUP_FIELDS);
    return { body: { address_group: pick(addressGroupView(group, call.who), fields) } };
  }

  async update(call: AnyCall, group: AddressGroup): Promise<Reply> {
    const { address_group: change } = call.body as { address_group: AddressGroupChangeBody };
    const { addressGroupStore } = this.parts.books;
    const after = await addressGroupStore.update(group.id, change, this.parts.now(), revisionOf(call));
    return { body: { address_group: addressGroupView(after, call.who) } };
  }

  async addAddresses(call: AnyCall, group: AddressGroup): Promise<Reply> {
    const addresses = readAddresses((call.body as AddressesBody).addresses);
    const { addressGroupStore } = this.parts.books;
    const after = await addressGroupStore.addAddresses(group.id, addresses, this.parts.now(), revisionOf(call));
    return { body: { address_group: addressGroupView(after, call.who) } };
  }

  async removeAddresses(call: AnyCall, group: AddressGroup): Promise<Reply> {
    const addresses = readAddresses((call.body as AddressesBody).addresses);
    const { addressGroupStore } = this.parts.books;
    const after = await addressGroupStore.removeAddresses(group.id, addresses, this.parts.now(), revisionOf(call));
    return { body: { address_group: addressGroupView(after, call.who) } };
  }

  async remove(call: AnyCall, group: AddressGroup): Promise<Reply> {
    await this.parts.books.addressGroupStore.delete(group.id, this.parts.now(), revisionOf(call));
    return {};
  }
}
