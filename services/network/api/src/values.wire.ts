/** Attribute types that several resources share, and how their lenient spellings are read. */
import { type TSchema, Type } from 'typebox';
import { isoSeconds } from '#libs/wire';
import type { Standard } from '#services/network/domain';

/** NUL can not be stored, so no text may hold one. */
const NO_NUL = '^[^\\u0000]*$';

export const text = (maxLength = 255) => Type.String({ maxLength, pattern: NO_NUL });
export const maybe = <S extends TSchema>(schema: S) => Type.Optional(schema);
export const nullable = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));

/** Clients send booleans, and some their names or 0 and 1. */
export const Flag = Type.Unsafe<boolean | string | number>({
  enum: [true, false, 'true', 'True', 'false', 'False', 0, 1, '0', '1'],
});

/** The truth of a flag; undefined stays undefined, so that "not said" is kept apart from "no". */
export function isOn(flag: boolean | string | number | null | undefined): boolean | undefined {
  if (flag === undefined || flag === null) return undefined;
  return flag === true || flag === 1 || flag === '1' || String(flag).toLowerCase() === 'true';
}

/** Whole numbers, also as text. */
export const Whole = Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]{1,9}$' })]);
export const toNumber = (value: string | number | null | undefined): number | null | undefined =>
  typeof value === 'string' ? Number(value) : value;

/** A body that holds one resource or several: `{network: …}` or `{networks: […]}`. */
export const oneOrMany = <S extends TSchema>(one: string, many: string, schema: S) =>
  Type.Object(
    { [one]: Type.Optional(schema), [many]: Type.Optional(Type.Array(schema, { minItems: 1, maxItems: 500 })) },
    {
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
    },
  );

/** A body of one resource. */
export const just = <S extends TSchema>(one: string, schema: S) =>
  Type.Object({ [one]: schema }, { additionalProperties: false, required: [one] });

/** A resource's attributes: no others than these. */
export const attributes = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

/** What every resource shows. */
export const standard = (row: Standard) => ({
  tags: row.tags,
  created_at: isoSeconds(row.createdAt),
  updated_at: isoSeconds(row.updatedAt),
  revision_number: row.revision,
});
