/** How PostgreSQL's values become ours, for this pool alone: nothing global is changed. */
import pg from 'pg';

const { builtins } = pg.types;

/** A bigint as a number. Sizes, counters and fences stay far below 2^53; one that does not is refused, never rounded. */
function toNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${text} is beyond what a number holds exactly`);
  return value;
}

const asText = (text: string): string => text;
const asUtc = (text: string): Date => new Date(`${text.replace(' ', 'T')}Z`);

const PARSERS = new Map<number, (text: string) => unknown>([
  [builtins.INT8, toNumber],
  [builtins.DATE, asText],
  [builtins.TIMESTAMP, asUtc],
]);

/** The `types` option of a pg pool or client. */
export const valueTypes: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    const own = format === 'binary' ? undefined : PARSERS.get(oid);
    return own ?? (format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text'));
  },
};
