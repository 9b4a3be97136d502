/** `placement.v1.Scheduler`: what compute calls. Nobody else may. */
import { placementV1 } from '#libs/contract';
import { fail, isUuid } from '#libs/kernel';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import type { AllocationRepo, ClaimAnswer, ProviderRepo } from '#services/placement/data';
import { type Amounts, type Inventories, withDefaults } from '#services/placement/domain';
import type { Scheduler } from './scheduler.js';

export interface SchedulerGrpcParts {
  readonly scheduler: Scheduler;
  readonly providers: ProviderRepo;
  readonly allocations: AllocationRepo;
  readonly log: Log;
}

export function schedulerBinding(parts: SchedulerGrpcParts): Binding {
  const { scheduler, providers, allocations, log } = parts;
  return bind(
    placementV1.SchedulerService,
    {
      ensureProvider: async (request) => ({
        generation: await providers.ensureNode({
          id: uuid(request.providerId),
          name: request.name,
          inventories: inventoriesOf(request.inventories),
          traits: request.traits,
          disabledReason: request.disabled ? request.disabledReason : null,
          zone: request.availabilityZone,
        }),
      }),
      removeProvider: async (request) => {
        if (await providers.find(uuid(request.providerId))) await providers.remove(request.providerId);
        return {};
      },
      claim: async (request) =>
        claimReply(
          await scheduler.claim({
            consumerId: uuid(request.consumerId),
            pair: { fence: request.fence, seq: request.seq },
            projectId: request.projectId,
            userId: request.userId,
            resources: amountsOf(request.resources),
            requiredTraits: request.requiredTraits,
            forbiddenTraits: request.forbiddenTraits,
            excludeIds: request.excludeProviderIds,
            onlyName: request.onlyProviderName,
            zone: request.availabilityZone,
            inPlace: request.inPlace,
          }),
        ),
      release: async (request) => {
        await scheduler.release(uuid(request.consumerId), { fence: request.fence, seq: request.seq });
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
    };
  }
  const rejections = answer.rejections.map(({ id, name, reason }) => ({ providerId: id, providerName: name, reason }));
  return { claimed: undefined, rejections };
}
