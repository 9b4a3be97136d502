import { generateKeyPairSync } from 'node:crypto';
import { Injectable, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fail, systemClock } from '#libs/kernel';
import { openLog } from '#libs/platform/log';
import { mintToken, PROJECT_MEMBER, PROJECT_READER, rule, TokenVerifier } from '#libs/platform/policy';
import { op } from './op.js';
import { serveHttp } from './server.js';

@Injectable()
class Things {
  readonly owner = 'p1';
}

@Module({ providers: [Things] })
class ThingsModule {}

const checker = {
  check: (value: unknown) => ((value as { thing?: { name?: unknown } }).thing?.name ? undefined : 'name is needed'),
};
const rows = [
  op(Things, {
    method: 'GET',
    path: '/things/:id',
    rule: rule('get_thing', PROJECT_READER),
    status: 200,
    load: async (things, call) => {
      if (call.params['id'] !== 'a') throw fail.notFound('no such thing');
      return { projectId: things.owner };
    },
    run: (_things, _call, row) => ({ body: { owner: row.projectId } }),
  }),
  op(Things, {
    method: 'POST',
    path: '/things',
    rule: rule('create_thing', PROJECT_MEMBER),
    status: 201,
    body: checker,
    run: () => ({ body: { ok: true } }),
  }),
];

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const verifier = new TokenVerifier(systemClock);
verifier.setKeys([{ kid: 'k', publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }]);

const token = (project: string, roles: string[]): string => {
  const now = Date.now();
  return mintToken(
    {
      userId: 'u1',
      userName: 'u',
      userDomainId: 'default',
      userDomainName: 'Default',
      project: { id: project, name: project, domainId: 'default', domainName: 'Default' },
      roles: roles.map((name) => [`id-${name}`, name] as const),
      methods: ['password'],
      issuedAt: now,
      expiresAt: now + 60_000,
      auditIds: ['x'],
    },
    'k',
    privateKey,
  );
};

let app: NestFastifyApplication;
const manners = { policyFirst: false };
beforeAll(async () => {
  app = await serveHttp(ThingsModule, {
    ops: rows,
    dialect: {
      name: 'test',
      get policyFirst() {
        return manners.policyFirst;
      },
      negotiate: () => 0,
      headers: (_version, requestId) => ({ 'X-Openstack-Request-Id': requestId }),
      fault: (error) => ({
        status:
          {
            invalid: 400,
            unauthorized: 401,
            forbidden: 403,
            notFound: 404,
            methodNotAllowed: 405,
            tooLarge: 413,
            unsupportedMedia: 415,
          }[error.kind as string] ?? 500,
        headers: {},
        body: { kind: error.kind, message: error.message },
      }),
    },
    verifier,
    publicBase: 'http://x/test',
    log: openLog('test', 'silent'),
    host: '127.0.0.1',
    port: 0 as number,
    health: () => ({ ok: true }),
  });
});
afterAll(() => app.close());

const ask = (method: 'GET' | 'POST' | 'PUT', url: string, who?: string, payload?: string, type = 'application/json') =>
  app.inject({
    method,
    url,
    headers: { ...(who ? { 'x-auth-token': who } : {}), ...(payload === undefined ? {} : { 'content-type': type }) },
    ...(payload === undefined ? {} : { payload }),
  });

it('checks the token, then the target, then policy, then the body', async () => {
  expect((await ask('GET', '/things/a')).statusCode).toBe(401);
  expect((await ask('GET', '/things/a', token('p1', ['reader']))).json()).toEqual({ owner: 'p1' });
  expect((await ask('GET', '/things/a', token('p2', ['reader']))).statusCode).toBe(404);
  expect((await ask('GET', '/things/a', token('p2', ['admin']))).statusCode).toBe(200);
  expect((await ask('GET', '/things/b', token('p1', ['admin']))).statusCode).toBe(404);
  expect((await ask('POST', '/things', token('p1', ['reader']), '{"thing":{"name":"x"}}')).statusCode).toBe(403);
  expect((await ask('POST', '/things', token('p1', ['member']), '{"thing":{"name":"x"}}')).statusCode).toBe(201);
});

it('tells who may not call before it looks at the body, where the dialect has it so', async () => {
  const reader = token('p1', ['reader']);
  expect((await ask('POST', '/things', reader, '{}')).statusCode).toBe(400);
  manners.policyFirst = true;
  expect((await ask('POST', '/things', reader, '{}')).statusCode).toBe(403);
  manners.policyFirst = false;
});

it('answers bad input in the dialect and never with 500', async () => {
  const who = token('p1', ['member']);
  expect((await ask('POST', '/things', who, '{"thing":')).json()).toMatchObject({ kind: 'invalid' });
  expect((await ask('POST', '/things', who, '{"__proto__":{"x":1}}')).json()).toMatchObject({ kind: 'invalid' });
  expect((await ask('POST', '/things', who, '')).json()).toMatchObject({ kind: 'invalid' });
  expect((await ask('POST', '/things', who, '{"thing":{"name":"\\ud800"}}')).json()).toMatchObject({ kind: 'invalid' });
  expect((await ask('POST', '/things', who, '{"thing":{"name":"\\ud83d\\ude00 \\\\ud800"}}')).statusCode).toBe(201);
  expect((await ask('POST', '/things', who, 'a=b', 'application/x-www-form-urlencoded')).json()).toMatchObject({
    kind: 'unsupportedMedia',
  });
  expect((await ask('POST', '/things', who, `{"thing":{"name":"${'x'.repeat(2 << 20)}"}}`)).statusCode).toBe(413);
  expect((await ask('GET', '/nothing', who)).statusCode).toBe(404);
  const other = await ask('PUT', '/things', who, '{}');
  expect([other.statusCode, other.headers['allow'], other.headers['content-type']]).toEqual([
    ...[405, 'POST', 'application/json'],
  ]);
});

it('echoes a well-formed request id and replaces any other', async () => {
  const good = 'req-01234567-89ab-4cde-8f01-23456789abcd';
  const sent = await app.inject({ method: 'GET', url: '/things/a', headers: { 'x-openstack-request-id': good } });
  expect(sent.headers['x-openstack-request-id']).toBe(good);
  const bad = await app.inject({ method: 'GET', url: '/things/a', headers: { 'x-openstack-request-id': 'evil\n' } });
  expect(bad.headers['x-openstack-request-id']).toMatch(/^req-[0-9a-f-]{36}$/);
});
