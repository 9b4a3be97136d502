/** Shapes and headers that all resources share. */
import { Type } from 'typebox';
import type { Call } from '#libs/platform/http';
import { mv } from '#libs/wire';

export type AnyCall = Call<unknown, unknown>;

export const Uuid = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
});
export const ClassName = Type.String({ pattern: '^[A-Z0-9_]+$', minLength: 1, maxLength: 255 });
export const CustomName = Type.String({ pattern: '^CUSTOM_[A-Z0-9_]+$', minLength: 8, maxLength: 255 });
export const Generation = Type.Integer({ minimum: 0 });

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
