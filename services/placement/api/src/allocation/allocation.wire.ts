/** Allocations on the wire: a list before 1.12, from then on an object by provider. */
import { type Static, Type } from 'typebox';
import { during, mv } from '#libs/wire';
import type { ConsumerFacts, ConsumerWish } from '#services/placement/data';
import { type Amounts, MAX_INT } from '#services/placement/domain';
import { type AnyCall, ClassName, dashed, Uuid, UuidKey } from '../values.wire.js';
import { jsonBody } from '../words.wire.js';

const closed = { additionalProperties: false } as const;
const Resources = Type.Record(ClassName, Type.Integer({ minimum: 1, maximum: MAX_INT }), {
  ...closed,
  minProperties: 1,
});
const Owner = Type.String({ minLength: 1, maxLength: 255 });
const ConsumerType = Type.String({ pattern: '^[A-Z0-9_]+$', minLength: 1, maxLength: 255 });

const ListItem = Type.Object({ resource_provider: Type.Object({ uuid: Uuid }, closed), resources: Resources }, closed);
const ListBody = Type.Object(
  {
    allocations: Type.Array(ListItem, { minItems: 1 }),
    project_id: Type.Unsafe<string>({ ...Owner, ...during({ since: '1.8' }) }),
    user_id: Type.Unsafe<string>({ ...Owner, ...during({ since: '1.8' }) }),
  },
  closed,
);

/** The provider's generation stands in what is read, so it may stand in what is written; it guards nothing. */
const Share = Type.Object({ resources: Resources, generation: Type.Optional(Type.Integer()) }, closed);
const Mappings = {
  type: 'object',
  minProperties: 1,
  patternProperties: { '[a-zA-Z0-9_-]{1,64}': Type.Array(Uuid, { minItems: 1 }) },
};
const consumerBody = (least: number) =>
  Type.Object(
    {
      allocations: Type.Record(UuidKey, Share, { ...closed, minProperties: least }),
      project_id: Owner,
      user_id: Owner,
      consumer_generation: Type.Unsafe<number | null>({
        type: ['integer', 'null'],
        ...during({ since: '1.28' }),
      }),
      mappings: Type.Optional(Type.Unsafe<object>({ ...Mappings, ...during({ since: '1.34' }) })),
      consumer_type: Type.Unsafe<string>({ ...ConsumerType, ...during({ since: '1.38' }) }),
    },
    closed,
  );

const ConsumerBody = consumerBody(0);
export type ConsumerBody = Static<typeof ConsumerBody>;
export type ListBody = Static<typeof ListBody>;

export const AllocationList = jsonBody(ListBody);
/** 1.12 to 1.27: something must be allocated. */
export const SomeAllocations = jsonBody(consumerBody(1));
export const AnyAllocations = jsonBody(ConsumerBody);
export const ManyConsumersBody = Type.Record(UuidKey, ConsumerBody, { ...closed, minProperties: 1 });
export const ManyConsumers = jsonBody(ManyConsumersBody);

/** What a caller wants a consumer to hold. Callers from before 1.28 do not know its generation. */
export function wishOf(consumerId: string, given: ConsumerBody): ConsumerWish {
  return {
    consumerId: consumerId.toLowerCase(),
    projectId: given.project_id,
    userId: given.user_id,
    type: given.consumer_type,
    generation: given.consumer_generation,
    allocations: Object.entries(given.allocations).map(([providerId, { resources }]) => ({
      providerId: providerId.toLowerCase(),
      resources,
    })),
  };
}

export function wishOfList(consumerId: string, given: ListBody): ConsumerWish {
  return {
    consumerId: consumerId.toLowerCase(),
    projectId: given.project_id,
    userId: given.user_id,
    type: undefined,
    generation: undefined,
    allocations: given.allocations.map(({ resource_provider: { uuid }, resources }) => ({
      providerId: dashed(uuid),
      resources,
    })),
  };
}

export const classesOf = (wishes: readonly ConsumerWish[]): string[] => [
  ...new Set(wishes.flatMap((wish) => wish.allocations.flatMap(({ resources }) => Object.keys(resources)))),
];

/** What one consumer holds of a provider. */
export const consumerShare = (
  call: AnyCall,
  { resources, consumerGeneration: consumer_generation }: { resources: Amounts; consumerGeneration: number },
): Record<string, unknown> => ({ resources, ...(call.version >= mv('1.28') ? { consumer_generation } : {}) });

/** Who holds it, as far as the version tells. */
export function ownerView(call: AnyCall, consumer: ConsumerFacts | undefined): Record<string, unknown> {
  if (!consumer) return {};
  const { projectId: project_id, userId: user_id, generation, type } = consumer;
  return {
    ...(call.version >= mv('1.12') ? { project_id, user_id } : {}),
    ...(call.version >= mv('1.28') ? { consumer_generation: generation } : {}),
    ...(call.version >= mv('1.38') ? { consumer_type: type ?? 'unknown' } : {}),
  };
}
