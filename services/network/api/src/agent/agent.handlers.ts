import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { type Agent, agentAlive, agentNotFound, agentsNow } from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf } from '../scope.js';
import { sift } from '../sift.js';
import { isOn } from '../values.wire.js';
import { AGENT_FIELDS, type AgentChangeBody, agentView } from './agent.wire.js';

@Injectable()
export class AgentHandlers {
  constructor(private readonly parts: NetworkParts) {}

  /** Only for those who may see agents is there any. */
  async load(call: AnyCall): Promise<Agent> {
    const id = idOf(call, agentNotFound);
    const record = call.may('get_agent') ? await this.parts.books.agents.find(this.parts.books.db, id) : undefined;
    if (!record) throw agentNotFound(id);
    return this.now([record])[0]!;
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, AGENT_FIELDS);
    const { agents, db } = this.parts.books;
    const all = call.may('get_agent') ? this.now(await agents.list(db)) : [];
    const page = sift(all, agentView, request);
    return { body: listBody('agents', page, request, call, agentView) };
  }

  show(call: AnyCall, agent: Agent): Reply {
    const { fields } = readList(call.query, AGENT_FIELDS);
    return { body: { agent: pick(agentView(agent), fields) } };
  }

  async update(call: AnyCall, { id }: Agent): Promise<Reply> {
    const { agent: item } = call.body as { agent: AgentChangeBody };
    const description = item.description === undefined ? undefined : (item.description ?? '');
    const change = { description, adminStateUp: isOn(item.admin_state_up) };
    const record = await this.parts.books.agents.update(this.parts.books.db, id, change);
    if (!record) throw agentNotFound(id);
    return { body: { agent: agentView(this.now([record])[0]!) } };
  }

  async remove({ id, chassis, alive }: Agent): Promise<Reply> {
    if (alive) throw agentAlive(id);
    try {
      await this.parts.forgetChassis(chassis);
    } catch (cause) {
      throw fail.unavailable(`Agent ${id} can not be deleted while OVN can not be reached.`, { cause });
    }
    await this.parts.books.agents.delete(this.parts.books.db, id);
    return {};
  }

  private now(records: Parameters<typeof agentsNow>[0]): Agent[] {
    return agentsNow(records, this.parts.chassis(), this.parts.now());
  }
}
