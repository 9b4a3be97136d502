/** The least of a client that setting up tests needs: clouds.yaml, a token, JSON calls. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface CloudEntry {
  readonly auth: {
    readonly auth_url: string;
    readonly username: string;
    readonly password: string;
    readonly project_name: string;
  };
  readonly region_name: string;
}

export interface Session {
  readonly authUrl: string;
  readonly username: string;
  readonly password: string;
  readonly project: string;
  readonly projectId: string;
  readonly region: string;
  readonly token: string;
  /** Public endpoint of a service type, with no slash at its end. */
  endpoint(type: string): string;
  call<T = Record<string, unknown>>(
    method: string,
    url: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer<T>>;
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

export function cloudEntry(state: string, cloud: string): CloudEntry {
  const file = parse(readFileSync(join(state, 'clouds.yaml'), 'utf8')) as { clouds: Record<string, CloudEntry> };
  const entry = file.clouds[cloud];
  if (!entry) throw new Error(`clouds.yaml holds no ${cloud}`);
  return entry;
}

async function send<T>(
  method: string,
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<Answer<T>> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text.startsWith('{') || text.startsWith('[');
  return { status: response.status, body: (json ? JSON.parse(text) : text) as T, headers: response.headers };
}

export interface Login {
  readonly authUrl: string;
  readonly username: string;
  readonly password: string;
  readonly project: string;
  readonly region: string;
}

interface TokenBody {
  readonly token: {
    readonly project: { readonly id: string };
    readonly catalog: readonly { type: string; endpoints: readonly { interface: string; url: string }[] }[];
  };
}

export async function login({ authUrl, username, password, project, region }: Login): Promise<Session> {
  const base = authUrl.replace(/\/(v3\/?)?$/, '');
  const domain = { name: 'Default' };
  const auth = {
    identity: { methods: ['password'], password: { user: { name: username, domain, password } } },
    scope: { project: { name: project, domain } },
  };
  const answer = await send<TokenBody>('POST', `${base}/v3/auth/tokens`, { auth }, {});
  if (answer.status !== 201)
    throw new Error(`no token for ${username}: ${answer.status} ${JSON.stringify(answer.body)}`);
  const token = answer.headers.get('x-subject-token') ?? '';
  const { catalog } = answer.body.token;
  return {
    authUrl: `${base}/v3`,
    username,
    password,
    project,
    projectId: answer.body.token.project.id,
    region,
    token,
    endpoint: (type) => {
      const url = catalog
        .find((service) => service.type === type)
        ?.endpoints.find((endpoint) => endpoint.interface === 'public')?.url;
      if (!url) throw new Error(`the catalog has no public endpoint of ${type}`);
      return url.replace(/\/$/, '');
    },
    call: (method, url, body, headers = {}) => send(method, url, body, { 'X-Auth-Token': token, ...headers }),
  };
}

export function loginTo(state: string, cloud: string): Promise<Session> {
  const { auth, region_name } = cloudEntry(state, cloud);
  return login({
    authUrl: auth.auth_url,
    username: auth.username,
    password: auth.password,
    project: auth.project_name,
    region: region_name,
  });
}
