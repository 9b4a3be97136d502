/** What a request for a websocket must bring: a token, and where it comes from a browser, a page of this cloud. */
export interface Knock {
  readonly url: string | undefined;
  readonly origin: string | undefined;
}

/** The token, or the status to refuse with. */
export type Verdict = { readonly token: string } | { readonly status: 400 | 403 | 404 };

const TOKEN = /^[A-Za-z0-9_-]{16,128}$/;

/**
 * Browsers always say from which page they come, and let any page open a websocket to any host: another origin than the
 * cloud's own is refused. Tools say no origin; for them the token is enough.
 */
export function judge({ url, origin }: Knock, publicUrl: string): Verdict {
  const parsed = URL.parse(url ?? '', publicUrl);
  if (parsed?.pathname !== '/websockify') return { status: 404 };
  if (origin !== undefined && origin !== new URL(publicUrl).origin) return { status: 403 };
  const token = parsed.searchParams.get('token') ?? '';
  return TOKEN.test(token) ? { token } : { status: 403 };
}
