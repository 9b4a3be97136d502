/** Allocations on the wire: a list before 1.12, from then on an object by provider. */
import { type Static, Type } from 'typebox';
import { body, during, mv } from '#libs/wire';
import type { ConsumerFacts, ConsumerWish } from '#services/placement/data';
import { type Amounts, MAX_INT } from '#services/placement/domain';
import { type AnyCall, ClassName, Generation, Uuid } from '../values.wire.js';

const closed = { additionalProperties: false } as const;
const UUID_KEY = Uuid;
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

const Share = Type.Object({ resources: Resources, generation: Type.Optional(Generation) }, closed);
const Mappings = Type.Record(Type.String({ maxLength: 64 }), Type.Array(Uuid, { minItems: 1 }));
const consumerBody = (least: number) =>
  Type.Object(
    {
      allocations: Type.Record(UUID_KEY, Share, { ...closed, minProperties: least }),
      project_id: Owner,
      user_id: Owner,
      consumer_generation: Type.Unsafe<number | null>({
        ...Type.Union([Generation, Type.Null()]),
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

export const AllocationList = body(ListBody);
/** 1.12 to 1.27: something must be allocated. */
export const SomeAllocations = body(consumerBody(1));
export const AnyAllocations = body(ConsumerBody);
export const ManyConsumersBody = Type.Record(UUID_KEY, ConsumerBody, { ...closed, minProperties: 1 });
export const ManyConsumers = body(ManyConsumersBody);

/** What a caller wants a consumer to hold. Callers from before 1.28 do not know its generation. */
export function wishOf(consumerId: string, given: ConsumerBody): ConsumerWish {
  return {
    consumerId: consumerId.toLowerCase(),
    projectId: given.project_id,
    userId: given.user_id,
    type: given.consumer_type,
    generation: given.consumer_generation,
    allocations: Object.entries(given.allocations).map(([providerId, { resources, generation }]) => ({
      providerId: providerId.toLowerCase(),
      resources,
      generation,
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
      providerId: uuid.toLowerCase(),
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
