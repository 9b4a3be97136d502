import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { DEFAULT_STATEFULNESS_FIELDS } from '#services/network/data';
import {
  type DefaultStatefulness,
  defaultStatefulnessExists,
  defaultStatefulnessNotFound,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, demand, idOf, mayKnow, ownerOf, scopeOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import {
  type DefaultStatefulnessChangeBody,
  defaultStatefulnessView,
  type NewDefaultStatefulnessBody,
} from './default-statefulness.wire.js';

const NAME = 'security_groups_default_statefulness';
const CREATE = 'create_security_groups_default_statefulness';

@Injectable()
export class DefaultStatefulnessHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<DefaultStatefulness> {
    const id = idOf(call, defaultStatefulnessNotFound);
    const setting = await this.parts.books.defaultStatefulness.find(this.parts.books.db, id);
    // The one for all is the administrator's.
    if (!setting || !mayKnow(call.who, ...(setting.projectId === null ? [] : [setting.projectId])))
      throw defaultStatefulnessNotFound(id);
    return setting;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { [NAME]: item } = call.body as { [NAME]: NewDefaultStatefulnessBody };
    const { books, ids } = this.parts;
    const setting = { id: ids.uuid(), projectId: projectOf(call, item), stateful: isOn(item.stateful) ?? true };
    if (!(await books.defaultStatefulness.insert(books.db, setting, this.parts.now())))
      throw defaultStatefulnessExists(setting.projectId);
    return { body: { [NAME]: defaultStatefulnessView(setting) } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, DEFAULT_STATEFULNESS_FIELDS);
    const { books } = this.parts;
    const page = await books.defaultStatefulness.list(books.db, request, scopeOf(call.who));
    return { body: listBody(NAME, page, request, call, defaultStatefulnessView) };
  }

  show(call: AnyCall, setting: DefaultStatefulness): Reply {
    const { fields } = readList(call.query, DEFAULT_STATEFULNESS_FIELDS);
    return { body: { [NAME]: pick(defaultStatefulnessView(setting), fields) } };
  }

  async update(call: AnyCall, setting: DefaultStatefulness): Promise<Reply> {
    const { [NAME]: item } = call.body as { [NAME]: DefaultStatefulnessChangeBody };
    const { books } = this.parts;
    const stateful = isOn(item.stateful) ?? setting.stateful;
    if (!(await books.defaultStatefulness.update(books.db, setting.id, stateful)))
      throw defaultStatefulnessNotFound(setting.id);
    return { body: { [NAME]: defaultStatefulnessView({ ...setting, stateful }) } };
  }

  async remove(setting: DefaultStatefulness): Promise<Reply> {
    const { books } = this.parts;
    if (!(await books.defaultStatefulness.delete(books.db, setting.id))) throw defaultStatefulnessNotFound(setting.id);
    return {};
  }
}

/** A project, or null where the setting shall be for all. */
function projectOf(call: AnyCall, item: NewDefaultStatefulnessBody): string | null {
  const { project_id, tenant_id } = item;
  if (project_id !== null && tenant_id !== null) return ownerOf(call, CREATE, { project_id, tenant_id });
  demand(call, CREATE, { projectId: null });
  return null;
}
