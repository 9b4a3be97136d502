/** Discovery: which versions there are. Open to everyone, with and without the slash at the end. */
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { everyone, rule } from '#libs/platform/policy';
import { COMPUTE_SPACE } from '../compute.space.js';

@Injectable()
export class VersionHandlers {}

const MEDIA = 'application/vnd.openstack.compute+json;version=';

interface Major {
  readonly id: string;
  readonly status: string;
  readonly version: string;
  readonly min_version: string;
  readonly updated: string;
}

/** The older endpoint answers for itself alone: clients that look it up are told where to go. */
const V2: Major = { id: 'v2.0', status: 'DEPRECATED', version: '', min_version: '', updated: '2011-01-21T11:33:21Z' };
const V21: Major = {
  id: 'v2.1',
  status: 'CURRENT',
  version: COMPUTE_SPACE.max,
  min_version: COMPUTE_SPACE.min,
  updated: '2013-07-23T11:33:21Z',
};

const self = (base: string, major: Major) => ({
  rel: 'self',
  href: `${base}/${major === V2 ? 'v2' : 'v2.1'}/`,
});

const listed = (base: string, major: Major) => ({ ...major, links: [self(base, major)] });

const shown = (base: string, major: Major) => ({
  version: {
    ...major,
    links: [
      self(base, major),
      { rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/api-ref/compute/' },
    ],
    'media-types': [{ base: 'application/json', type: `${MEDIA}${major === V2 ? '2' : '2.1'}` }],
  },
});

export const versionOps: readonly Op[] = [
  op(VersionHandlers, {
    method: 'GET',
    path: '/',
    rule: 'public',
    status: 200,
    run: (_handlers, call) => ({ body: { versions: [listed(call.base, V2), listed(call.base, V21)] } }),
  }),
  op(VersionHandlers, {
    method: 'GET',
    path: '/v2',
    rule: 'public',
    status: 200,
    run: (_handlers, call) => ({ body: shown(call.base, V2) }),
  }),
  op(VersionHandlers, {
    method: 'GET',
    path: '/v2.1',
    rule: 'public',
    status: 200,
    run: (_handlers, call) => ({ body: shown(call.base, V21) }),
  }),
  op(VersionHandlers, {
    method: 'GET',
    path: '/v2.1/versions/:id',
    rule: rule('os_compute_api:versions', everyone),
    status: 200,
    run: (_handlers, call) => {
      const version = [V2, V21].find(({ id }) => id === call.params['id']);
      if (!version) throw fail.notFound('The resource could not be found.');
      return { body: shown(call.base, version) };
    },
  }),
];
