/** Everything that reads and writes identity's database, built once for a process. */
import { fileURLToPath } from 'node:url';
import type { Clock } from '#libs/kernel';
import type { Db, MigrationSet } from '#libs/platform/db';
import type { Log } from '#libs/platform/log';
import type { TokenVerifier } from '#libs/platform/policy';
import { ApplicationCredentials } from './application-credential.repo.js';
import { Assignments } from './assignment.repo.js';
import { AuthReads } from './auth.repo.js';
import { Changes } from './changes.js';
import { Credentials } from './credential.repo.js';
import { Directory } from './directory.js';
import { Endpoints } from './endpoint.repo.js';
import { Groups } from './group.repo.js';
import { Names } from './names.repo.js';
import { Policies } from './policy.repo.js';
import { Projects } from './project.repo.js';
import { Regions } from './region.repo.js';
import { RevocationLog } from './revocation-log.js';
import { Roles } from './role.repo.js';
import type { Seal } from './seal.js';
import { Services } from './service.repo.js';
import { Tokens } from './token.repo.js';
import { Trusts } from './trust.repo.js';
import { Users } from './user.repo.js';

/** The schema. */
export const identityMigrations: MigrationSet = {
  set: 'identity',
  dir: fileURLToPath(new URL('../migrations', import.meta.url)),
};

export type Store = ReturnType<typeof makeStore>;

export function makeStore(db: Db, verifier: TokenVerifier, seal: Seal, clock: Clock, log?: Log) {
  const revocations = new RevocationLog(db, verifier, clock, log);
  const changes = new Changes(db, revocations, clock);
  const directory = new Directory(db);
  return {
    db,
    revocations,
    directory,
    applicationCredentials: new ApplicationCredentials(db, changes),
    assignments: new Assignments(db, changes, directory),
    auth: new AuthReads(db),
    credentials: new Credentials(db, seal),
    endpoints: new Endpoints(db, changes),
    groups: new Groups(db, changes, directory),
    names: new Names(db),
    policies: new Policies(db),
    projects: new Projects(db, changes, directory),
    regions: new Regions(db),
    roles: new Roles(db, changes, directory),
    services: new Services(db, changes),
    tokens: new Tokens(db, changes, clock),
    trusts: new Trusts(db, changes),
    users: new Users(db, changes),
  };
}
