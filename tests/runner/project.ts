/** A project of a test's own, with a member in it and no limits on its network, so that tests never meet in one. */
import { randomUUID } from 'node:crypto';
import { type Login, login, type Session } from './cloud-client.js';

interface Row {
  readonly id: string;
}

export interface OwnProject {
  readonly id: string;
  /** How its member signs in; for clients that sign in again. */
  readonly login: Login;
  readonly session: Session;
  /** Removes the project, its member and its quota; what is in it must be gone. */
  remove(): Promise<void>;
}

const UNLIMITED = [
  'network',
  'subnet',
  'port',
  'router',
  'floatingip',
  'security_group',
  'security_group_rule',
  'subnetpool',
  'rbac_policy',
  'trunk',
];

export async function ownProject(admin: Session, name: string): Promise<OwnProject> {
  const identity = admin.authUrl;
  const quotas = `${admin.endpoint('network')}/v2.0/quotas`;
  const password = randomUUID();
  const made = async (kind: string, body: object): Promise<string> => {
    const answer = await admin.call<Record<string, Row>>('POST', `${identity}/${kind}s`, { [kind]: body });
    const id = answer.body[kind]?.id;
    if (id === undefined) throw new Error(`POST ${kind}s: ${answer.status} ${JSON.stringify(answer.body)}`);
    return id;
  };
  const project = await made('project', { name });
  const user = await made('user', { name, password });
  const { roles } = (await admin.call<{ roles: (Row & { name: string })[] }>('GET', `${identity}/roles`)).body;
  const member = roles.find((role) => role.name === 'member')?.id ?? '';
  await admin.call('PUT', `${identity}/projects/${project}/users/${user}/roles/${member}`);
  const { quota: known } = (await admin.call<{ quota: object }>('GET', `${quotas}/${project}`)).body;
  const quota = Object.fromEntries(UNLIMITED.filter((resource) => resource in known).map((resource) => [resource, -1]));
  await admin.call('PUT', `${quotas}/${project}`, { quota });
  const own = { authUrl: identity, username: name, password, project: name, region: admin.region };
  return {
    id: project,
    login: own,
    session: await login(own),
    remove: async () => {
      await admin.call('DELETE', `${quotas}/${project}`);
      await admin.call('DELETE', `${identity}/users/${user}`);
      await admin.call('DELETE', `${identity}/projects/${project}`);
    },
  };
}
