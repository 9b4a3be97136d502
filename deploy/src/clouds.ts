/** clouds.yaml, by which every stock client finds the cloud. It holds passwords: readable by its owner alone. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Deployment } from './deployment.js';
import type { Secrets } from './secrets.js';
import { REGION } from './service-config.js';

export function cloudsFile(d: Deployment, secrets: Secrets): string {
  const cloud = (user: string, project: string, password: string) => ({
    region_name: REGION,
    interface: 'public',
    identity_api_version: 3,
    auth: {
      auth_url: `${d.publicUrl}/identity/v3`,
      username: user,
      password,
      project_name: project,
      user_domain_name: 'Default',
      project_domain_name: 'Default',
    },
  });
  const clouds = {
    'yagura-admin': cloud('admin', 'admin', secrets.text('admin-password')),
    'yagura-demo': cloud('demo', 'demo', secrets.text('demo-password')),
  };
  const file = join(d.state, 'clouds.yaml');
  writeFileSync(`${file}.new`, stringify({ clouds }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}
