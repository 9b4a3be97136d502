/** The Nest module: handlers by class, what they need by value. Everything is a singleton. */
import type { DynamicModule } from '@nestjs/common';
import { TokenVerifier } from '#libs/platform/policy';
import {
  ApplicationCredentials,
  Assignments,
  AuthReads,
  Credentials,
  Directory,
  Endpoints,
  Groups,
  Names,
  Policies,
  Projects,
  Regions,
  RevocationLog,
  Roles,
  Secrets,
  Services,
  type Store,
  Tokens,
  Trusts,
  Users,
} from '#services/identity/data';
import { ApplicationCredentialStrategy } from './auth/application-credential.strategy.js';
import { TokenIssuer } from './auth/issuer.js';
import { Methods } from './auth/passport.js';
import { PasswordStrategy } from './auth/password.strategy.js';
import { TokenStrategy } from './auth/token.strategy.js';
import { handlerClasses } from './ops.js';
import { Settings } from './settings.js';

export interface ModuleParts {
  readonly store: Store;
  readonly verifier: TokenVerifier;
  readonly secrets: Secrets;
  readonly settings: Settings;
}

class IdentityModule {}

export function identityModule({ store, verifier, secrets, settings }: ModuleParts): DynamicModule {
  const methods = new Methods([
    new PasswordStrategy(store.auth, secrets),
    new TokenStrategy(verifier),
    new ApplicationCredentialStrategy(store.applicationCredentials, secrets),
  ]);
  const values = [
    [TokenIssuer, new TokenIssuer({ ...store, methods, verifier, settings })],
    [TokenVerifier, verifier],
    [Secrets, secrets],
    [Settings, settings],
    [ApplicationCredentials, store.applicationCredentials],
    [Assignments, store.assignments],
    [AuthReads, store.auth],
    [Credentials, store.credentials],
    [Directory, store.directory],
    [Endpoints, store.endpoints],
    [Groups, store.groups],
    [Names, store.names],
    [Policies, store.policies],
    [Projects, store.projects],
    [Regions, store.regions],
    [RevocationLog, store.revocations],
    [Roles, store.roles],
    [Services, store.services],
    [Tokens, store.tokens],
    [Trusts, store.trusts],
    [Users, store.users],
  ] as const;
  return {
    module: IdentityModule,
    providers: [...handlerClasses, ...values.map(([provide, useValue]) => ({ provide, useValue }))],
  };
}
