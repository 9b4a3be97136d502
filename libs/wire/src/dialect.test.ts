import { describe, expect, it } from 'vitest';
import { fail, isFailure } from '#libs/kernel';
import { glanceDialect, keystoneDialect, neutronDialect, novaDialect, placementDialect } from './dialect.js';
import { mv, mvText, negotiate } from './microversion.js';
import { nextPageUrl } from './paging.js';
import { view } from './view.js';

const space = { serviceType: 'compute', legacyHeader: 'X-OpenStack-Nova-API-Version', min: '2.1', max: '2.61' };

function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return isFailure(error) ? error.kind : String(error);
  }
  return 'accepted';
}

describe('microversions', () => {
  it('reads either header, the newer first, and defaults to the minimum', () => {
    expect(negotiate(space, {})).toBe(2001);
    expect(negotiate(space, { 'x-openstack-nova-api-version': '2.37' })).toBe(2037);
    expect(
      negotiate(space, { 'openstack-api-version': 'volume 3.1, compute 2.40', 'x-openstack-nova-api-version': '2.37' }),
    ).toBe(2040);
    expect(negotiate(space, { 'openstack-api-version': 'compute latest' })).toBe(2061);
  });

  it('tells malformed from unsupported', () => {
    for (const text of ['2', '2.x', '2.', '-2.1', '2.01', '02.1']) {
      expect(refusal(() => negotiate(space, { 'x-openstack-nova-api-version': text }))).toBe('invalid');
    }
    for (const text of ['2.62', '3.1', '1.1', '2.0']) {
      expect(refusal(() => negotiate(space, { 'x-openstack-nova-api-version': text }))).toBe('notAcceptable');
    }
  });

  it('survives a round trip', () => {
    expect(['2.1', '2.37', '2.104', '1.39'].map((text) => mvText(mv(text)))).toEqual(['2.1', '2.37', '2.104', '1.39']);
  });
});

describe('faults', () => {
  const id = 'req-1';
  it.each([
    [novaDialect(space), 404, { itemNotFound: { code: 404, message: 'gone' } }],
    [neutronDialect, 404, { NeutronError: { type: 'HTTPNotFound', message: 'gone', detail: '' } }],
    [keystoneDialect, 404, { error: { code: 404, message: 'gone', title: 'Not Found' } }],
    [glanceDialect, 404, { message: 'gone', code: '404 Not Found', title: 'Not Found' }],
  ])('%o words a missing resource its own way', (dialect, status, body) => {
    expect(dialect.fault(fail.notFound('gone'), id, 2001)).toMatchObject({ status, body });
  });

  it('answers quota as each API does', () => {
    const over = fail.overQuota('too many');
    expect([novaDialect(space), neutronDialect, glanceDialect].map((d) => d.fault(over, id, 2001).status)).toEqual([
      403, 409, 413,
    ]);
  });

  it('words every 401 as the authentication filter does, with the challenge', () => {
    const fault = novaDialect(space).fault(fail.unauthorized('who?'), id, undefined);
    expect(fault.body).toEqual({ error: { code: 401, title: 'Unauthorized', message: 'who?' } });
    expect(fault.headers['WWW-Authenticate']).toBeTruthy();
  });

  it('shows nothing of an internal error', () => {
    const fault = novaDialect(space).fault(fail.internal('password=x', { cause: new Error('secret') }), id, 2001);
    expect(JSON.stringify(fault)).not.toMatch(/secret|password/);
  });

  it('adds codes to placement from 1.23 on', () => {
    const dialect = placementDialect({ serviceType: 'placement', min: '1.0', max: '1.39' });
    const at = (version: number) =>
      (
        dialect.fault(fail.conflict('no', { type: 'placement.concurrent_update' }), id, version).body as {
          errors: object[];
        }
      ).errors[0];
    expect(at(1022)).not.toHaveProperty('code');
    expect(at(1023)).toMatchObject({ code: 'placement.concurrent_update', request_id: id });
  });

  it('echoes the version and says what it varies by', () => {
    expect(novaDialect(space).headers(2037, id)).toMatchObject({
      'OpenStack-API-Version': 'compute 2.37',
      'X-OpenStack-Nova-API-Version': '2.37',
      Vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
      'X-Compute-Request-Id': id,
    });
  });
});

describe('views', () => {
  const show = view<{ id: string; host: string }>([
    { name: 'id', from: (row) => row.id },
    { name: 'old', until: '2.46', from: () => 1 },
    { name: 'new', since: '2.47', from: () => 2 },
    { name: 'host', rule: 'see_host', from: (row) => row.host },
  ]);

  it('choose fields by version and policy', () => {
    const row = { id: 'a', host: 'h' };
    expect(show(row, { version: 2001, base: '', may: () => false })).toEqual({ id: 'a', old: 1 });
    expect(show(row, { version: 2047, base: '', may: () => true })).toEqual({ id: 'a', new: 2, host: 'h' });
  });
});

it('links to the next page by replacing the marker', () => {
  expect(nextPageUrl('http://x/compute', '/v2.1/servers?limit=2&marker=a', 'b')).toBe(
    'http://x/compute/v2.1/servers?limit=2&marker=b',
  );
});
