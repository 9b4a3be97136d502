/**
 * What can go wrong between us and an OVSDB server. The kinds matter to callers
 * because they answer one question: may the transaction have happened?
 *
 * - `refused`: the server answered no; nothing of the transaction was applied.
 * - `not-connected`: it was never sent; nothing was applied.
 * - `outcome-unknown`: it was sent and no answer came; it may have been applied.
 * - `protocol`: the peer does not speak what RFC 7047 and its extensions say.
 * - `schema`: the server's schema lacks or contradicts a column that we declare.
 * - `closed`: this client was closed by its owner.
 */
export type OvsdbErrorKind = 'refused' | 'not-connected' | 'outcome-unknown' | 'protocol' | 'schema' | 'closed';

export interface Refusal {
  /** The server's own word, for example `constraint violation` or `duplicate uuid`. */
  readonly code: string;
  /** The server's explanation; may hold row contents, so it belongs in logs, not in answers. */
  readonly details: string;
  /** Index of the refused operation; equal to their number when the commit as a whole failed. */
  readonly op: number;
}

export class OvsdbError extends Error {
  readonly kind: OvsdbErrorKind;
  readonly refusal: Refusal | null;

  constructor(kind: OvsdbErrorKind, message: string, refusal: Refusal | null = null) {
    super(message);
    this.name = 'OvsdbError';
    this.kind = kind;
    this.refusal = refusal;
  }
}

/** The error of a transaction whose operation `op` was refused with `code`. */
export function refused(code: string, details: string, op: number): OvsdbError {
  const text = details === '' ? code : `${code}: ${details}`;
  return new OvsdbError('refused', `operation ${op} refused: ${text}`, { code, details, op });
}

/** True for an `OvsdbError` of one of the given kinds. */
export function isOvsdbError(error: unknown, ...kinds: OvsdbErrorKind[]): error is OvsdbError {
  return error instanceof OvsdbError && (kinds.length === 0 || kinds.includes(error.kind));
}
