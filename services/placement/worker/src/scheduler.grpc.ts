/** `placement.v1.Scheduler`: what compute calls. Nobody else may. */
import { placementV1 } from '#libs/contract';
import { fail, isUuid } from '#libs/kernel';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import type {
  AllocationRepo,
  ClaimAnswer,
  NodePulse,
  ProviderRepo,
  PulseRepo,
  SnapshotKeeper,
} from '#services/placement/data';
import {
  type Amounts,
  type GroupPolicy,
  type GroupRule,
  type Inventories,
  type NodeProfile,
  withDefaults,
} from '#services/placement/domain';
import type { Scheduler, ServerRequest } from './scheduler.js';

export interface SchedulerGrpcParts {
  readonly scheduler: Scheduler;
  readonly providers: ProviderRepo;
  readonly allocations: AllocationRepo;
  readonly pulses: Pick<PulseRepo, 'write'>;
  readonly keeper: Pick<SnapshotKeeper, 'expire'>;
  readonly log: Log;
}

export function schedulerBinding(parts: SchedulerGrpcParts): Binding {
  const { scheduler, providers, allocations, pulses, log } = parts;
  return bind(
    placementV1.SchedulerService,
    {
      ensureProvider: async (request) => {
        const generation = await providers.ensureNode({
          id: uuid(request.providerId),
          name: request.name,
          inventories: inventoriesOf(request.inventories),
          traits: request.traits,
          disabledReason: request.disabled ? request.disabledReason : null,
          zone: request.availabilityZone,
          aggregates: request.aggregates.map(uuid),
          profile: profileOf(request),
        });
        parts.keeper.expire();
        return { generation };
      },
      removeProvider: async (request) => {
        if (await providers.find(uuid(request.providerId))) await providers.remove(request.providerId);
        return {};
      },
      claim: async (request) => claimReply(await scheduler.claim(claimOf(request))),
      release: async (request) => {
        await scheduler.release(uuid(request.consumerId), { fence: request.fence, seq: request.seq });
        return {};
      },
      tellPulses: async (request) => {
        await pulses.write(request.pulses.map(pulseOf));
        return {};
      },
      allocations: async (request) => ({
        allocations: (await allocations.all(request.consumerIds.map(uuid))).map((each) => ({
          consumerId: each.consumerId,
          providerId: each.providerId,
          providerName: each.providerName,
          resources: Object.entries(each.resources).map(([resourceClass, amount]) => ({ resourceClass, amount })),
        })),
      }),
    },
    (peer) => peer === 'compute',
    log,
  );
}

function uuid(text: string): string {
  if (!isUuid(text)) throw fail.invalid(`${text.slice(0, 60)} is not a UUID`);
  return text.toLowerCase();
}

const claimOf = (request: placementV1.ClaimRequest): ServerRequest => ({
  consumerId: uuid(request.consumerId),
  pair: { fence: request.fence, seq: request.seq },
  projectId: request.projectId,
  userId: request.userId,
  resources: amountsOf(request.resources),
  requiredTraits: request.requiredTraits,
  forbiddenTraits: request.forbiddenTraits,
  excludeIds: request.excludeProviderIds,
  apartIds: request.apartProviderIds,
  amongIds: request.amongProviderIds,
  onlyName: request.onlyProviderName,
  zone: request.availabilityZone,
  inPlace: request.inPlace,
  extraSpecs: request.extraSpecs,
  imageProperties: request.imageProperties,
  numa: request.numa,
  ...(request.group ? { group: groupOf(request.group) } : {}),
});

const POLICIES: ReadonlySet<string> = new Set<GroupPolicy>([
  ...(['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'] as const),
]);
const isPolicy = (word: string): word is GroupPolicy => POLICIES.has(word);

function groupOf({ id, policy, maxPerHost }: placementV1.ServerGroup): GroupRule {
  if (!isPolicy(policy)) throw fail.invalid(`no policy of server groups: ${policy.slice(0, 60)}`);
  return { id: uuid(id), policy, maxPerHost };
}

const profileOf = ({ labels, attributes, numa }: placementV1.EnsureProviderRequest): NodeProfile => ({
  labels: Object.fromEntries(Object.entries(labels).map(([key, { values }]) => [key, [...values].sort()])),
  attributes,
  numa,
});

const pulseOf = ({ providerId, load, failures, failedAtMs }: placementV1.Pulse): NodePulse => ({
  providerId: uuid(providerId),
  load,
  failures,
  failedAt: failedAtMs > 0 ? new Date(failedAtMs) : null,
});

function amountsOf(amounts: readonly placementV1.Amount[]): Amounts {
  const positive = amounts.filter(({ amount }) => amount > 0);
  if (!positive.length) throw fail.invalid('a claim of nothing');
  return Object.fromEntries(positive.map(({ resourceClass, amount }) => [resourceClass, amount]));
}

/** Zero stands for "not said", as everywhere in proto3. */
function inventoriesOf(list: readonly placementV1.Inventory[]): Inventories {
  const said = (value: number): number | undefined => (value > 0 ? value : undefined);
  return Object.fromEntries(
    list
      .filter((each) => each.total > 0)
      .map((each) => {
        const [min_unit, max_unit, step_size] = [said(each.minUnit), said(each.maxUnit), said(each.stepSize)];
        const allocation_ratio = said(each.allocationRatio);
        const given = {
          total: each.total,
          reserved: each.reserved,
          ...(min_unit === undefined ? {} : { min_unit }),
          ...(max_unit === undefined ? {} : { max_unit }),
          ...(step_size === undefined ? {} : { step_size }),
          ...(allocation_ratio === undefined ? {} : { allocation_ratio }),
        };
        return [each.resourceClass, withDefaults(given)];
      }),
  );
}

function claimReply(answer: ClaimAnswer): placementV1.ClaimReply {
  if ('claimed' in answer) {
    const { claimed, alternates } = answer;
    return {
      claimed: { providerId: claimed.id, providerName: claimed.name, alternateNames: [...alternates] },
      rejections: [],
      summary: '',
    };
  }
  const rejections = answer.rejections.map(({ id, name, reason }) => ({ providerId: id, providerName: name, reason }));
  return { claimed: undefined, rejections, summary: answer.summary ?? '' };
}
