/** Shapes of single values that many bodies of this API share. */
import { Type } from 'typebox';
import { fail } from '#libs/kernel';

/** A name: 1 to 255 printable characters with no space at either end. */
export const Name = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^(?!\\s)[^\\p{C}\\p{Zl}\\p{Zp}]+(?<!\\s)$',
});

const TRUE = ['True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', 'y', 't'];
const FALSE = ['False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no', 'n', 'f'];
const TRUTHS: ReadonlySet<unknown> = new Set([true, ...TRUE]);

/** A boolean, or a word for one. Read it with `truth`. */
export const Truth = Type.Unsafe<boolean | string>({
  type: ['boolean', 'string'],
  enum: [true, false, ...TRUE, ...FALSE],
});
export const truth = (value: boolean | string): boolean => TRUTHS.has(value);
/** As `truth`, for words of a query string; undefined where it is none. */
export function truthOf(word: string): boolean | undefined {
  const known = word.trim();
  if (TRUE.includes(known) || known.toLowerCase() === 'true') return true;
  return FALSE.includes(known) || known.toLowerCase() === 'false' ? false : undefined;
}

const INT_MAX = 2_147_483_647;

/** A whole number, or its digits as text. Read it with `whole`, which checks the range of the text form too. */
export const Whole = Type.Unsafe<number | string>({
  type: ['integer', 'string'],
  pattern: '^-?[0-9]+$',
  minimum: -INT_MAX,
  maximum: INT_MAX,
  maxLength: 255,
});

export function whole(value: number | string, field: string, min: number, max = INT_MAX): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < min || number > max)
    throw fail.invalid(
      `Invalid input for field/attribute ${field}. Value: ${String(value).slice(0, 40)}. It must be between ${min} and ${max}.`,
    );
  return number;
}

/** Keys and values of metadata. */
export const Metadata = Type.Record(
  Type.String({ pattern: '^[a-zA-Z0-9-_:. ]{1,255}$' }),
  Type.String({ maxLength: 255 }),
  { additionalProperties: false },
);

export const Tag = Type.String({ minLength: 1, maxLength: 60, pattern: '^[^,/]*$' });

/** Base64 as the standard alphabet has it; white space is allowed, as encoders that wrap lines leave it. */
export function isBase64(text: string): boolean {
  const packed = text.replace(/\s+/g, '');
  return packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed);
}

/** A time as this API prints it without a zone: to the microsecond. */
export const isoNaive = (at: Date): string => at.toISOString().replace('Z', '000');

const TIME =
  /^(?<day>\d{4}-\d{2}-\d{2})(?:[T ](?<clock>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(?<zone>Z|[+ -]\d{2}:?\d{2})?)?$/;

/** A time from a query string, UTC unless it names a zone (whose plus sign may have arrived as a space). Throws `invalid`. */
export function timeOf(text: string, field: string): Date {
  const { day = '', clock = '00:00', zone = 'Z' } = TIME.exec(text.trim())?.groups ?? {};
  const offset = zone.replace(' ', '+').replace(/(\d{2}):?(\d{2})$/, '$1:$2');
  const at = new Date(`${day}T${clock}${offset}`);
  if (Number.isNaN(at.getTime()))
    throw fail.invalid(`Invalid input for query parameters ${field}. Value: ${text.slice(0, 40)}.`);
  return at;
}
