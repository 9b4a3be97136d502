/** Failures cross gRPC as a status code plus their kind and type in the trailers, so that both ends speak kernel errors. */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ERROR_KINDS, type ErrorKind, Failure, isFailure } from '#libs/kernel';

const CODES: Record<ErrorKind, status> = {
  invalid: status.INVALID_ARGUMENT,
  unauthorized: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  notFound: status.NOT_FOUND,
  methodNotAllowed: status.UNIMPLEMENTED,
  notAcceptable: status.INVALID_ARGUMENT,
  conflict: status.ABORTED,
  gone: status.NOT_FOUND,
  preconditionFailed: status.FAILED_PRECONDITION,
  tooLarge: status.RESOURCE_EXHAUSTED,
  unsupportedMedia: status.INVALID_ARGUMENT,
  overQuota: status.RESOURCE_EXHAUSTED,
  rateLimited: status.RESOURCE_EXHAUSTED,
  notImplemented: status.UNIMPLEMENTED,
  unavailable: status.UNAVAILABLE,
  fenced: status.FAILED_PRECONDITION,
  internal: status.INTERNAL,
};

const ascii = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** A thrown value as what grpc-js sends. Nothing of an unexpected error crosses but its kind. */
export function toStatus(error: unknown): { code: status; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  if (!isFailure(error)) return { code: status.INTERNAL, details: 'internal error', metadata };
  metadata.set('yagura-kind', error.kind);
  metadata.set('yagura-message', ascii(error.message));
  if (error.type) metadata.set('yagura-type', error.type);
  return { code: CODES[error.kind], details: error.kind, metadata };
}

/** What grpc-js threw, as a Failure: the peer's own, or `unavailable` where the peer was not reached in time. */
export function fromStatus(error: ServiceError, method: string): Failure {
  const kind = error.metadata?.get('yagura-kind')[0]?.toString();
  const text = error.metadata?.get('yagura-message')[0]?.toString();
  const type = error.metadata?.get('yagura-type')[0]?.toString();
  const known = ERROR_KINDS.find((candidate) => candidate === kind);
  if (known && text) {
    return new Failure(
      known,
      Buffer.from(text, 'base64').toString('utf8'),
      type ? { type, cause: error } : { cause: error },
    );
  }
  const lost = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED].includes(error.code);
  if (lost) return new Failure('unavailable', `${method} could not be reached`, { cause: error, retryAfter: 1 });
  return new Failure('internal', `${method} failed`, { cause: error });
}
