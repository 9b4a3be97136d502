import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { TRUNK_FIELDS } from '#services/network/data';
import {
  checkSubportWishes,
  portNotFound,
  type SubportWish,
  type Trunk,
  trunkNotFound,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import {
  type NewTrunkBody,
  type SubportBody,
  subportsView,
  type TrunkChangeBody,
  trunkView,
  wishOf,
} from './trunk.wire.js';

@Injectable()
export class TrunkHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<Trunk> {
    const id = idOf(call, trunkNotFound);
    const trunk = await this.parts.books.trunks.find(this.parts.books.db, id);
    if (!trunk || !mayKnow(call.who, trunk.projectId)) throw trunkNotFound(id);
    return trunk;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { trunk: item } = call.body as { trunk: NewTrunkBody };
    const projectId = ownerOf(call, 'create_trunk', item);
    const wishes = await this.wishes(call, item.sub_ports ?? []);
    const portId = item.port_id.toLowerCase();
    await this.demandPorts(call, [portId]);
    const draft = {
      id: this.parts.ids.uuid(),
      projectId,
      name: item.name ?? '',
      description: item.description ?? '',
      adminStateUp: isOn(item.admin_state_up) ?? true,
      portId,
    };
    const made = await this.parts.books.trunkStore.create(draft, wishes, this.parts.now());
    return { body: { trunk: trunkView(made) } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, TRUNK_FIELDS);
    const { books } = this.parts;
    const page = await books.trunks.list(books.db, request, scopeOf(call.who));
    return { body: listBody('trunks', page, request, call, trunkView) };
  }

  show(call: AnyCall, trunk: Trunk): Reply {
    const { fields } = readList(call.query, TRUNK_FIELDS);
    return { body: { trunk: pick(trunkView(trunk), fields) } };
  }

  async update(call: AnyCall, trunk: Trunk): Promise<Reply> {
    const { trunk: item } = call.body as { trunk: TrunkChangeBody };
    const change = { name: item.name, description: item.description, adminStateUp: isOn(item.admin_state_up) };
    const after = await this.parts.books.trunkStore.update(trunk.id, change, this.parts.now(), revisionOf(call));
    return { body: { trunk: trunkView(after) } };
  }

  async remove(call: AnyCall, trunk: Trunk): Promise<Reply> {
    await this.parts.books.trunkStore.delete(trunk.id, this.parts.now(), revisionOf(call));
    return {};
  }

  subports(trunk: Trunk): Reply {
    return { body: subportsView(trunk) };
  }

  async addSubports(call: AnyCall, trunk: Trunk): Promise<Reply> {
    const { sub_ports: items } = call.body as { sub_ports: readonly SubportBody[] };
    const wishes = await this.wishes(call, items);
    const { trunkStore } = this.parts.books;
    return { body: trunkView(await trunkStore.addSubports(trunk.id, wishes, this.parts.now(), revisionOf(call))) };
  }

  async removeSubports(call: AnyCall, trunk: Trunk): Promise<Reply> {
    const { sub_ports: items } = call.body as { sub_ports: readonly SubportBody[] };
    const ids = items.map((item) => item.port_id.toLowerCase());
    const { trunkStore } = this.parts.books;
    return { body: trunkView(await trunkStore.removeSubports(trunk.id, ids, this.parts.now(), revisionOf(call))) };
  }

  private async wishes(call: AnyCall, items: readonly SubportBody[]): Promise<SubportWish[]> {
    const wishes = items.map(wishOf);
    checkSubportWishes(wishes);
    await this.demandPorts(
      call,
      wishes.map((wish) => wish.portId),
    );
    return wishes;
  }

  /** Throws `PortNotFound` for the first port that is not of the caller's project; an administrator may take any. */
  private async demandPorts(call: AnyCall, ids: readonly string[]): Promise<void> {
    const { books } = this.parts;
    const ports = await books.ports.findMany(books.db, ids.filter(isUuid));
    const usable = new Set(ports.filter((port) => mayKnow(call.who, port.projectId)).map((port) => port.id));
    const missing = ids.find((id) => !usable.has(id));
    if (missing !== undefined) throw portNotFound(missing.slice(0, 100));
  }
}
