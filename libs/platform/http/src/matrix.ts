/**
 * The golden policy matrix: every row x role x {own project, other project, other domain, system}. A change of who may
 * do what shows as a diff of a committed file.
 */
import type { Credentials, Target } from '#libs/platform/policy';
import type { Op } from './op.js';

const ROLES: Record<string, readonly string[]> = {
  reader: ['reader'],
  member: ['member', 'reader'],
  manager: ['manager', 'member', 'reader'],
  admin: ['admin', 'manager', 'member', 'reader'],
};

const OWN = { projectId: 'own-project', domainId: 'own-domain' };
const SCOPES: Record<string, Target & { system?: true }> = {
  own: OWN,
  'other-project': { projectId: 'other-project', domainId: 'own-domain' },
  'other-domain': { projectId: 'far-project', domainId: 'other-domain' },
  system: { system: true },
};

/** A caller in one scope, asking for something of OWN. */
function caller(roles: readonly string[], scope: Target & { system?: true }): Credentials {
  return {
    userId: `user-of-${scope.projectId ?? 'system'}`,
    userName: 'user',
    userDomainId: scope.domainId ?? 'own-domain',
    projectId: scope.projectId ?? undefined,
    projectName: scope.projectId ?? undefined,
    projectDomainId: scope.domainId ?? undefined,
    domainId: undefined,
    systemScope: scope.system === true,
    roles: new Set(roles),
  };
}

function outcome(row: Op, who: Credentials): string {
  if (row.rule === 'public') return 'ok';
  const target: Target = row.hasLoad
    ? { ...OWN, userId: 'user-of-own-project' }
    : { projectId: who.projectId, userId: who.userId };
  const foreign = row.hasLoad && target.projectId !== who.projectId;
  if (foreign && !who.roles.has('admin') && !row.shared) return '404';
  return row.rule.check.test(who, target) ? 'ok' : '403';
}

/** One line per row: route, rule, check, then the outcome of each role in each scope. */
export function policyMatrix(ops: readonly Op[]): string {
  const columns = Object.entries(SCOPES).flatMap(([scope, where]) =>
    Object.entries(ROLES).map(([role, names]) => ({ title: `${scope}/${role}`, who: caller(names, where) })),
  );
  const lines = ops.map((row) => {
    const route = `${row.method} ${row.path}${row.action ? ` {${row.action}}` : ''}${row.since ? ` >=${row.since}` : ''}${row.until ? ` <=${row.until}` : ''}`;
    const rule = row.rule === 'public' ? 'public' : `${row.rule.name} = ${row.rule.check.text}`;
    const cells = columns.map(({ title, who }) => `${title}:${outcome(row, who)}`);
    return `${route} | ${rule} | ${cells.join(' ')}`;
  });
  return `${lines.sort().join('\n')}\n`;
}
