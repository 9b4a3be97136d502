/** Links to the next page. Pages are by marker and limit everywhere; only the wrapping differs by dialect. */

/** The request's own URL with its marker replaced: `base` + path + query, absolute. */
export function nextPageUrl(base: string, pathWithQuery: string, marker: string, limit?: number): string {
  const url = new URL(base + pathWithQuery);
  url.searchParams.set('marker', marker);
  if (limit !== undefined) url.searchParams.set('limit', String(limit));
  return url.toString();
}

export interface Link {
  readonly rel: string;
  readonly href: string;
}

/** `[{rel: 'next', href}]` when there is a further page, else nothing. */
export const nextLinks = (href: string | undefined): Link[] | undefined => (href ? [{ rel: 'next', href }] : undefined);

/** An ISO time as Nova, Glance and Neutron print it: to the second, with Z. */
export const isoSeconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;
/** An ISO time as Keystone prints it: with microseconds. */
export const isoMicros = (at: Date): string => at.toISOString().replace('Z', '000Z');
