/** Shapes and headers that all resources share. */
import { Type } from 'typebox';
import { type ErrorKind, Failure, isFailure } from '#libs/kernel';
import type { Call } from '#libs/platform/http';
import { mv } from '#libs/wire';

export type AnyCall = Call<unknown, unknown>;

/** As a value a UUID may lack its dashes; as a key not. */
export const Uuid = Type.String({
  pattern: '^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$',
  format: 'uuid',
});
export const UuidKey = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
});
export const ClassName = Type.String({ pattern: '^[A-Z0-9_]+$', minLength: 1, maxLength: 255 });
export const CustomName = Type.String({ pattern: '^CUSTOM_[A-Z0-9_]+$', maxLength: 255 });
export const Generation = Type.Integer();

/** A UUID of any spelling as the one that is stored and compared. */
export function dashed(uuid: string): string {
  const hex = uuid.replaceAll('-', '').toLowerCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The path of a resource as clients see it, without the host. */
export const href = (call: AnyCall, path: string): string => `${new URL(call.base).pathname.replace(/\/$/, '')}${path}`;

/** From 1.15 on answers say when they last changed, and that they must not be kept. */
export function dated(call: AnyCall, at: Date): Record<string, string> {
  if (call.version < mv('1.15')) return {};
  return { 'Last-Modified': at.toUTCString(), 'Cache-Control': 'no-cache' };
}

/** The address of what was made. */
export const located = (call: AnyCall, path: string): Record<string, string> => ({ Location: `${call.base}${path}` });

/** The newest of the times, or the given one where there is none. */
export const latest = (times: readonly Date[], otherwise: Date): Date =>
  times.length ? new Date(times.reduce((newest, time) => Math.max(newest, time.getTime()), 0)) : otherwise;

/** The answer to what went wrong in the middle of something, with what that was in front of it. */
export async function explained<T>(
  doing: string,
  work: () => Promise<T> | T,
  kind?: ErrorKind,
  code?: string,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFailure(error, kind) || error.kind === 'internal') throw error;
    const type = code ?? error.type;
    const options = { ...(type === undefined ? {} : { type }), cause: error };
    throw new Failure(error.kind, `${doing}${error.message}`, options);
  }
}
