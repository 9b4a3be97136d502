import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import { Directory, noTrust, Trusts } from '#services/identity/data';
import { delegatedRoles, futureTime, type Role, type Trust } from '#services/identity/domain';
import { refuseDelegated } from '../auth/delegated.js';
import { TokenIssuer } from '../auth/issuer.js';
import { first, listReply, type Query } from '../resource.js';
import { viewRole } from '../role/role.wire.js';
import { Settings } from '../settings.js';
import { type TrustCreate, viewTrust } from './trust.wire.js';

type PlainCall = Call<undefined, Query>;

export interface FoundTrust extends Target {
  readonly trust: Trust;
}

@Injectable()
export class TrustHandlers {
  constructor(
    private readonly trusts: Trusts,
    private readonly directory: Directory,
    private readonly issuer: TokenIssuer,
    private readonly settings: Settings,
  ) {}

  async list(call: PlainCall): Promise<Reply> {
    const { trustor_user_id: trustor, trustee_user_id: trustee } = call.query;
    const trusts = await this.trusts.list(first(trustor), first(trustee));
    return listReply(
      call,
      'trusts',
      trusts.map((trust) => viewTrust(trust, call)),
    );
  }

  /** Of the two users it concerns, the one who asks. To others it does not exist, but to those who may read all. */
  async find(call: Call<unknown, unknown>): Promise<FoundTrust> {
    const id = call.params['trust_id']!;
    const trust = await this.trusts.find(id);
    const parties = [trust.trustorUserId, trust.trusteeUserId];
    const userId = parties.includes(call.who.userId) ? call.who.userId : trust.trustorUserId;
    if (!call.may('identity:get_trust', { userId })) throw noTrust(id);
    return { userId, trust };
  }

  /** Only the trustor may take a trust back. */
  async findOwn(call: Call<unknown, unknown>): Promise<FoundTrust> {
    const { trust } = await this.find(call);
    return { userId: trust.trustorUserId, trust };
  }

  async show(call: PlainCall, { trust }: FoundTrust): Promise<Reply> {
    return { body: { trust: await this.#full(trust, call) } };
  }

  async create(call: Call<TrustCreate, Query>): Promise<Reply> {
    refuseDelegated(call);
    const { claims } = call.token;
    const given = call.body.trust;
    if (given.allow_redelegation) throw fail.invalid('Trusts can not be passed on.');
    if (!given.project_id) throw fail.invalid('A trust is for a project.');
    if (claims.project?.id !== given.project_id)
      throw fail.forbidden('A trust is made with a token of the project that it is for.');
    const { graph } = await this.directory.current();
    const held = await this.issuer.delegable(call.token, given.project_id);
    const trust: Trust = {
      id: this.settings.ids.hex(),
      trustorUserId: claims.userId,
      trusteeUserId: given.trustee_user_id,
      projectId: given.project_id,
      impersonation: given.impersonation,
      roleIds: delegatedRoles(given.roles ?? [], held, graph),
      expiresAt: given.expires_at ? futureTime(given.expires_at, this.settings.nowMs) : undefined,
      remainingUses: given.remaining_uses ?? undefined,
    };
    await this.trusts.create(trust);
    return { body: { trust: await this.#full(trust, call) } };
  }

  async remove({ trust }: FoundTrust, call: PlainCall): Promise<Reply> {
    refuseDelegated(call);
    await this.trusts.remove(trust.id);
    return {};
  }

  async listRoles(call: PlainCall, { trust }: FoundTrust): Promise<Reply> {
    const roles = await this.#roles(trust);
    return listReply(
      call,
      'roles',
      roles.map((role) => viewRole(role, call)),
    );
  }

  async showRole(call: PlainCall, { trust }: FoundTrust): Promise<Reply> {
    const id = call.params['role_id']!;
    const role = (await this.#roles(trust)).find((candidate) => candidate.id === id);
    if (!role) throw fail.notFound(`Could not find role: ${id}.`);
    return { body: { role: viewRole(role, call) } };
  }

  async #roles(trust: Trust): Promise<Role[]> {
    const { graph } = await this.directory.current();
    return trust.roleIds.flatMap((id) => graph.role(id) ?? []);
  }

  async #full(trust: Trust, call: Call<unknown, unknown>) {
    const roles = await this.#roles(trust);
    return {
      ...viewTrust(trust, call),
      roles: roles.map((role) => viewRole(role, call)),
      roles_links: { next: null, previous: null, self: `${call.base}/v3/OS-TRUST/trusts/${trust.id}/roles` },
    };
  }
}
