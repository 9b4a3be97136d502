import { Injectable } from '@nestjs/common';
import type { Call, Reply } from '#libs/platform/http';
import { Policies } from '#services/identity/data';
import { extraOf, filtersOf, listReply, type Query } from '../resource.js';
import { withExtra } from '../service/service.handlers.js';
import { Settings } from '../settings.js';
import { POLICY_FIELDS, type PolicyCreate, type PolicyUpdate, viewPolicy } from './policy.wire.js';

@Injectable()
export class PolicyHandlers {
  constructor(
    private readonly policies: Policies,
    private readonly settings: Settings,
  ) {}

  async list(call: Call<undefined, Query>): Promise<Reply> {
    const policies = await this.policies.list(filtersOf(call.query, { type: 'text' }));
    return listReply(
      call,
      'policies',
      policies.map((policy) => viewPolicy(policy, call)),
    );
  }

  async show(call: Call<undefined, Query>): Promise<Reply> {
    return { body: { policy: viewPolicy(await this.policies.find(call.params['policy_id']!), call) } };
  }

  async create(call: Call<PolicyCreate, Query>): Promise<Reply> {
    const { type, blob } = call.body.policy;
    const extra = extraOf(call.body.policy, POLICY_FIELDS) ?? {};
    const policy = { id: this.settings.ids.hex(), type, blob, extra };
    await this.policies.create(policy);
    return { body: { policy: viewPolicy(policy, call) } };
  }

  async update(call: Call<PolicyUpdate, Query>): Promise<Reply> {
    const { type, blob } = call.body.policy;
    const policy = await this.policies.update(call.params['policy_id']!, {
      ...(type !== undefined && { type }),
      ...(blob !== undefined && { blob }),
      ...withExtra(extraOf(call.body.policy, POLICY_FIELDS)),
    });
    return { body: { policy: viewPolicy(policy, call) } };
  }

  async remove(call: Call<undefined, Query>): Promise<Reply> {
    await this.policies.remove(call.params['policy_id']!);
    return {};
  }
}
