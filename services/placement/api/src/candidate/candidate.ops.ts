/** Where a request could go: computed over the snapshot in memory, without a query per provider. */
import { Injectable } from '@nestjs/common';
import { op, type Reply } from '#libs/platform/http';
import { allocationCandidates, summarized } from '#services/placement/domain';
import { RULES } from '../placement.space.js';
import { PlacementStore } from '../store.js';
import { type AnyCall, dated } from '../values.wire.js';
import { candidateRequest } from './candidate.query.js';
import { candidatesText } from './candidate.wire.js';

@Injectable()
export class CandidateHandlers {
  constructor(private readonly store: PlacementStore) {}

  async list(call: AnyCall): Promise<Reply> {
    const query = call.query as Readonly<Record<string, string | readonly string[] | undefined>>;
    const request = candidateRequest(query, call.version);
    const wanted = new Set(request.groups.flatMap((group) => Object.keys(group.resources)));
    const traits = request.groups.flatMap((group) => [...group.required.flat(), ...group.forbidden]);
    await this.store.checkClasses([...wanted], 'Invalid resource class in resources parameter: ');
    await this.store.checkTraits([...traits, ...request.rootRequired, ...request.rootForbidden]);
    const snapshot = await this.store.snapshot();
    const candidates = allocationCandidates(snapshot, request);
    const text = candidatesText(candidates, summarized(snapshot, candidates, request.nested), wanted, call.version);
    const headers = { 'Content-Type': 'application/json', ...dated(call, this.store.means.clock.now()) };
    return { headers, body: Buffer.from(text) };
  }
}

export const candidateOps = [
  op(CandidateHandlers, {
    method: 'GET',
    path: '/allocation_candidates',
    since: '1.10',
    rule: RULES.listCandidates,
    status: 200,
    run: (handlers, call) => handlers.list(call as AnyCall),
  }),
];
