import { expect, it } from 'vitest';
import { catalogFor } from './catalog.js';
import type { Endpoint, Service } from './model.js';

const service = (id: string, enabled = true): Service => ({
  id,
  type: id,
  name: undefined,
  description: undefined,
  enabled,
  extra: {},
});
const endpoint = (serviceId: string, url: string, enabled = true): Endpoint => ({
  id: url,
  serviceId,
  regionId: 'r',
  interface: 'public',
  url,
  enabled,
  extra: {},
});
const services = [service('plain'), service('by-project'), service('off', false)];
const endpoints = [
  endpoint('plain', 'http://x'),
  endpoint('plain', 'http://off', false),
  endpoint('by-project', 'http://y/$(project_id)s/%(tenant_id)s'),
  endpoint('off', 'http://z'),
];
const urls = (projectId: string | undefined) =>
  catalogFor(services, endpoints, projectId).map(({ id, endpoints: shown }) => [id, ...shown.map(({ url }) => url)]);

it('holds what is enabled, with the project filled in as it is', () => {
  expect(urls('p$&1')).toEqual([
    ['plain', 'http://x'],
    ['by-project', 'http://y/p$&1/p$&1'],
  ]);
});

it('leaves out endpoints that need a project where there is none', () => {
  expect(urls(undefined)).toEqual([['plain', 'http://x'], ['by-project']]);
});
