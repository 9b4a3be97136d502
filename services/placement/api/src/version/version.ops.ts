/** What the API is, for whoever asks, without a token. */
import { Injectable } from '@nestjs/common';
import { op } from '#libs/platform/http';
import { PLACEMENT_SPACE } from '../placement.space.js';
import { PlacementStore } from '../store.js';
import { dated, href } from '../values.wire.js';

@Injectable()
export class VersionHandlers {
  constructor(readonly store: PlacementStore) {}
}

export const versionOps = [
  op(VersionHandlers, {
    method: 'GET',
    path: '/',
    rule: 'public',
    status: 200,
    run: ({ store }, call) => ({
      headers: dated(call, store.means.clock.now()),
      body: {
        versions: [
          {
            id: 'v1.0',
            min_version: PLACEMENT_SPACE.min,
            max_version: PLACEMENT_SPACE.max,
            status: 'CURRENT',
            links: [{ rel: 'self', href: href(call, '') }],
          },
        ],
      },
    }),
  }),
];
