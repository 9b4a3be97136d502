/** The compute API (Nova 2.1): its rows, its rules, its dialect, and the module that serves them. */
import { type DynamicModule, Module } from '@nestjs/common';
import type { Clock, Ids } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Op } from '#libs/platform/http';
import type { Rule } from '#libs/platform/policy';
import type { Seal } from '#services/compute/data';
import { Books, type Peers, Peers as PeersToken, Surroundings } from './books.js';
import { commonRules } from './compute.rules.js';
import { FlavorHandlers } from './flavor/flavor.handlers.js';
import { flavorOps, flavorRules } from './flavor/flavor.ops.js';
import { KeypairHandlers } from './keypair/keypair.handlers.js';
import { keypairOps } from './keypair/keypair.ops.js';
import { ServerHandlers } from './server/server.handlers.js';
import { serverOps, serverRules } from './server/server.ops.js';
import { ServerCreateHandlers } from './server/server-create.handlers.js';
import { VersionHandlers, versionOps } from './version/version.ops.js';

export { Books, Peers } from './books.js';
export { COMPUTE_SPACE, computeDialect } from './compute.space.js';

export const computeOps: readonly Op[] = [...versionOps, ...flavorOps, ...keypairOps, ...serverOps];
export const computeRules: readonly Rule[] = [...commonRules, ...flavorRules, ...serverRules];

export interface ComputeApiDeps {
  readonly db: Db;
  readonly seal: Seal;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly ids: Ids;
}

@Module({})
class ComputeApi {}

/** For `serveHttp(computeModule(deps), {ops: computeOps, rules: computeRules, dialect: computeDialect, ...})`. */
export const computeModule = (deps: ComputeApiDeps): DynamicModule => ({
  module: ComputeApi,
  providers: [
    { provide: Books, useValue: new Books(deps.db, deps.seal) },
    { provide: PeersToken, useValue: deps.peers },
    { provide: Surroundings, useValue: new Surroundings(deps.clock, deps.ids) },
    VersionHandlers,
    FlavorHandlers,
    KeypairHandlers,
    ServerHandlers,
    ServerCreateHandlers,
  ],
});
