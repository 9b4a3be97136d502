import { Injectable } from '@nestjs/common';
import { fail, isFailure, isUuid } from '#libs/kernel';
import { Peers } from '../books.js';
import { type Caller, queryOf } from '../foreign-api.js';
import { type ForeignGroup, type ForeignRule, foreignRule, type GroupNames } from './security-group.wire.js';

type OwnCaller = Caller & { readonly who: { readonly projectId: string | undefined } };
interface Words {
  readonly name: string;
  readonly description: string;
}

const GROUPS = '/v2.0/security-groups';
const RULES = '/v2.0/security-group-rules';
/** Remote groups asked for in one request. */
const NAMES_AT_ONCE = 100;

const checkedId = (id: string): string => {
  if (!isUuid(id)) throw fail.invalid(`Security group id should be uuid: ${id.slice(0, 64)}`);
  return id;
};

/** Over quota is a refusal here, not a conflict. */
function refuseMore(error: unknown): never {
  if (isFailure(error) && error.type === 'OverQuota') throw fail.forbidden(error.message, { cause: error });
  if (isFailure(error, 'conflict')) throw fail.invalid(error.message, { cause: error });
  throw error;
}

@Injectable()
export class SecurityGroupHandlers {
  constructor(private readonly peers: Peers) {}

  async list(caller: OwnCaller, everywhere: boolean): Promise<ForeignGroup[]> {
    const filter = everywhere ? {} : { tenant_id: caller.who.projectId ?? '' };
    const found = await this.#ask<{ security_groups: ForeignGroup[] }>(caller, 'GET', GROUPS + queryOf(filter));
    const order = ({ tenant_id, name }: ForeignGroup) => `${tenant_id}\0${name}`;
    return found.security_groups.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  async find(caller: Caller, id: string): Promise<ForeignGroup> {
    const found = await this.#ask<{ security_group: ForeignGroup }>(caller, 'GET', `${GROUPS}/${checkedId(id)}`);
    return found.security_group;
  }

  async create(caller: Caller, { name, description }: Words): Promise<ForeignGroup> {
    const body = { security_group: { name, description } };
    const made = this.#ask<{ security_group: ForeignGroup }>(caller, 'POST', GROUPS, body);
    return (await made.catch(refuseMore)).security_group;
  }

  async update(caller: Caller, id: string, { name, description }: Words): Promise<ForeignGroup> {
    const body = { security_group: { name, description } };
    const done = this.#ask<{ security_group: ForeignGroup }>(caller, 'PUT', `${GROUPS}/${checkedId(id)}`, body);
    return (await done.catch(refuseMore)).security_group;
  }

  /** Throws `invalid` for one in use. */
  async remove(caller: Caller, id: string): Promise<void> {
    await this.#ask(caller, 'DELETE', `${GROUPS}/${checkedId(id)}`).catch(refuseMore);
  }

  async addRule(caller: Caller, asked: Parameters<typeof foreignRule>[0]): Promise<ForeignRule> {
    await this.find(caller, asked.parent_group_id);
    if (asked.group_id != null) await this.find(caller, asked.group_id);
    const body = { security_group_rule: foreignRule(asked) };
    const made = this.#ask<{ security_group_rule: ForeignRule }>(caller, 'POST', RULES, body);
    return (await made.catch(refuseMore)).security_group_rule;
  }

  async removeRule(caller: Caller, id: string): Promise<void> {
    await this.#ask(caller, 'DELETE', `${RULES}/${checkedId(id)}`);
  }

  /** Names of the groups themselves and of those that their rules speak of. */
  async names(caller: Caller, groups: readonly ForeignGroup[], rules: readonly ForeignRule[]): Promise<GroupNames> {
    const known = new Map(groups.map(({ id, name, tenant_id }) => [id, { name, tenant_id }]));
    const all = [...rules, ...groups.flatMap((group) => group.security_group_rules)];
    const remote = new Set(all.map((rule) => rule.remote_group_id).filter((id) => id !== null && !known.has(id)));
    const ids = [...remote] as string[];
    for (let from = 0; from < ids.length; from += NAMES_AT_ONCE) {
      const filter = ids.slice(from, from + NAMES_AT_ONCE).map((id) => `id=${id}`);
      const path = `${GROUPS}?${filter.join('&')}&fields=id&fields=name&fields=tenant_id`;
      const { security_groups } = await this.#ask<{ security_groups: ForeignGroup[] }>(caller, 'GET', path);
      for (const { id, name, tenant_id } of security_groups) known.set(id, { name, tenant_id });
    }
    return known;
  }

  async #ask<T>(caller: Caller, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
    return (await this.peers.networkApi.ask(caller, { method, path, body })) as T;
  }
}
