import { describe, expect, it } from 'vitest';
import { FORBIDDEN } from './edge-config.js';

const forbidden = new RegExp(FORBIDDEN);

describe('headers that end at the edge', () => {
  it.each([
    'x-user-id',
    'x-user',
    'x-roles',
    'x-role',
    'x-project-id',
    'x-project-domain-name',
    'x-tenant',
    'x-domain-id',
    'x-identity-status',
    'x-service-identity-status',
    'x-service-user-id',
    'x-service-roles',
    'x-is-admin-project',
    'x-system-scope',
    'openstack-system-scope',
    'x_user_id',
    'x-user_id',
    'x_roles',
    'x-forwarded-for',
    'x-forwarded-host',
    'forwarded',
    'x-real-ip',
  ])('%s', (name) => {
    expect(forbidden.test(name)).toBe(true);
  });

  it.each([
    'x-auth-token',
    'x-subject-token',
    'x-service-token',
    'x-openstack-request-id',
    'openstack-api-version',
    'x-openstack-nova-api-version',
    'x-image-meta-name',
    'content-type',
    'accept',
    'idempotency-key',
    'user-agent',
    'host',
  ])('but not %s', (name) => {
    expect(forbidden.test(name)).toBe(false);
  });
});
