/** A user's session with the cloud's public API, by which the first images, flavors and networks are made. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';

export interface Login {
  /** Where the origin is reached from this machine, without a slash at the end. */
  readonly origin: string;
  readonly user: string;
  readonly project: string;
  readonly password: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    what: string,
    body: string,
  ) {
    super(`${what} answered ${status}: ${body.slice(0, 300)}`);
  }
}

export class Session {
  readonly #origin: string;
  readonly #token: string;
  readonly projectId: string;

  private constructor(origin: string, token: string, projectId: string) {
    this.#origin = origin;
    this.#token = token;
    this.projectId = projectId;
  }

  static async open({ origin, user, project, password }: Login): Promise<Session> {
    const domain = { name: 'Default' };
    const auth = {
      identity: { methods: ['password'], password: { user: { name: user, domain, password } } },
      scope: { project: { name: project, domain } },
    };
    const response = await fetch(`${origin}/identity/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    const token = response.headers.get('x-subject-token');
    if (!response.ok || !token) throw new ApiError(response.status, `signing in as ${user}`, text);
    const { token: body } = JSON.parse(text) as { token: { project: { id: string } } };
    return new Session(origin, token, body.project.id);
  }

  /** One JSON request; `undefined` where the answer has no body. Throws an ApiError unless it succeeded. */
  async ask<T>(method: string, path: string, body?: unknown, type = 'application/json'): Promise<T> {
    const response = await fetch(`${this.#origin}${path}`, {
      method,
      headers: { 'x-auth-token': this.#token, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiError(response.status, `${method} ${path}`, text);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  async upload(path: string, file: string): Promise<void> {
    const response = await fetch(`${this.#origin}${path}`, {
      method: 'PUT',
      headers: { 'x-auth-token': this.#token, 'content-type': 'application/octet-stream' },
      body: Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>,
      duplex: 'half',
      signal: AbortSignal.timeout(300_000),
    });
    if (!response.ok) throw new ApiError(response.status, `PUT ${path}`, await response.text());
  }
}
