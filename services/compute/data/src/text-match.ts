/**
 * A client's pattern as SQL. Lists take regular expressions from tenants; most are plain text or anchored text and become
 * ILIKE. What is left runs in PostgreSQL's engine under a short time limit of its own, without back references.
 */
import { fail } from '#libs/kernel';

export interface TextMatch {
  /** To be put between the column and the parameter. */
  readonly operator: 'ilike' | '~*';
  readonly value: string;
}

const MAX_LENGTH = 255;
const BACK_REFERENCE = /\\[1-9]/;
const PLAIN = /^(?:[^\\^$.|?*+()[\]{}]|\\[^A-Za-z0-9])*$/;

/** Throws `invalid` for what is too long or refers back. Matching ignores case, anywhere in the text unless anchored. */
export function textMatch(pattern: string, field: string): TextMatch {
  if (pattern.length > MAX_LENGTH) throw fail.invalid(`Invalid input for query parameters ${field}: it is too long.`);
  const start = pattern.startsWith('^');
  const end = pattern.endsWith('$') && !pattern.endsWith('\\$');
  const middle = pattern.slice(start ? 1 : 0, end ? -1 : undefined);
  if (PLAIN.test(middle)) {
    const text = middle.replace(/\\(.)/gu, '$1').replace(/[\\%_]/g, '\\$&');
    return { operator: 'ilike', value: `${start ? '' : '%'}${text}${end ? '' : '%'}` };
  }
  if (BACK_REFERENCE.test(pattern) || pattern.startsWith('***'))
    throw fail.invalid(`Invalid input for query parameters ${field}: back references are not supported.`);
  return { operator: '~*', value: pattern };
}
