/** Which refusals of other services are final: what they say of the request itself does not change by asking again. */
import { type ErrorKind, isFailure } from '#libs/kernel';
import { Permanent } from '#libs/platform/flow';

const FINAL: ReadonlySet<ErrorKind> = new Set([
  'invalid',
  'forbidden',
  'notFound',
  'conflict',
  'gone',
  'preconditionFailed',
  'overQuota',
  'notImplemented',
]);

/** Passes the answer on; a refusal that is final turns the task round with its public message. */
export async function orFinal<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!isFailure(error) || !FINAL.has(error.kind)) throw error;
    throw new Permanent(error.message, { kind: error.kind, cause: error });
  }
}
