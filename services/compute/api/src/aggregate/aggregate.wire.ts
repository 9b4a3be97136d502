/** Aggregates on the wire. */
import { Type } from 'typebox';
import { body, type Field, view } from '#libs/wire';
import { type Aggregate, zoneOf } from '#services/compute/domain';
import { isoNaive, Name } from '../values.wire.js';

const shut = { additionalProperties: false } as const;
/** A colon would make it `zone:host`. */
const Zone = Type.Union([
  Type.String({ minLength: 1, maxLength: 255, pattern: '^(?!\\s)[^:\\p{C}]+(?<!\\s)$' }),
  Type.Null(),
]);
const Host = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9-._]*$' });
const MetadataPatch = Type.Record(
  Type.String({ pattern: '^[a-zA-Z0-9-_:. ]{1,255}$' }),
  Type.Union([Type.String({ maxLength: 255 }), Type.Null()]),
  shut,
);

export const newAggregateBody = body(
  Type.Object({ aggregate: Type.Object({ name: Name, availability_zone: Type.Optional(Zone) }, shut) }, shut),
);
export const aggregateBody = body(
  Type.Object(
    {
      aggregate: Type.Object(
        { name: Type.Optional(Name), availability_zone: Type.Optional(Zone) },
        { ...shut, minProperties: 1 },
      ),
    },
    shut,
  ),
);
const hostIn = Type.Object({ host: Host }, shut);
export const addHostBody = body(Type.Object({ add_host: hostIn }, shut));
export const removeHostBody = body(Type.Object({ remove_host: hostIn }, shut));
export const metadataBody = body(Type.Object({ set_metadata: Type.Object({ metadata: MetadataPatch }, shut) }, shut));
export const imagesBody = body(
  Type.Object(
    {
      cache: Type.Array(
        Type.Object({ id: Type.String({ pattern: '^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' }) }, shut),
        { minItems: 1, maxItems: 1_000, uniqueItems: true },
      ),
    },
    shut,
  ),
);

const fields: readonly Field<Aggregate>[] = [
  { name: 'id', from: (aggregate) => aggregate.number },
  { name: 'uuid', since: '2.41', from: (aggregate) => aggregate.id },
  { name: 'name', from: (aggregate) => aggregate.name },
  { name: 'availability_zone', from: zoneOf },
  { name: 'created_at', from: (aggregate) => isoNaive(aggregate.createdAt) },
  { name: 'updated_at', from: ({ updatedAt }) => updatedAt && isoNaive(updatedAt) },
  { name: 'deleted', from: () => false },
  { name: 'deleted_at', from: () => null },
];

/** What a creation answers: nothing of what it can not have yet. */
export const madeAggregate = view<Aggregate>(fields);
export const shownAggregate = view<Aggregate>([
  ...fields,
  { name: 'hosts', from: (aggregate) => aggregate.hosts },
  { name: 'metadata', from: (aggregate) => aggregate.metadata },
]);
