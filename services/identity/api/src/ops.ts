/** Every operation of the service, and the classes that do them. */
import type { Type as Class } from '@nestjs/common';
import type { Op } from '#libs/platform/http';
import { applicationCredentialOps } from './application-credential/application-credential.ops.js';
import { tokenOps } from './auth/token.ops.js';
import { credentialOps } from './credential/credential.ops.js';
import { discoveryOps } from './discovery/discovery.ops.js';
import { domainOps } from './domain/domain.ops.js';
import { endpointOps } from './endpoint/endpoint.ops.js';
import { grantOps } from './grant/grant.ops.js';
import { groupOps } from './group/group.ops.js';
import { policyOps } from './policy/policy.ops.js';
import { projectOps } from './project/project.ops.js';
import { regionOps } from './region/region.ops.js';
import { roleOps } from './role/role.ops.js';
import { serviceOps } from './service/service.ops.js';
import { trustOps } from './trust/trust.ops.js';
import { userOps } from './user/user.ops.js';

export const identityOps: readonly Op[] = [
  ...discoveryOps,
  ...tokenOps,
  ...applicationCredentialOps,
  ...credentialOps,
  ...domainOps,
  ...endpointOps,
  ...grantOps,
  ...groupOps,
  ...policyOps,
  ...projectOps,
  ...regionOps,
  ...roleOps,
  ...serviceOps,
  ...trustOps,
  ...userOps,
];

export const handlerClasses = [...new Set(identityOps.map((row) => row.handlers))] as Class[];
