/**
 * The auditor: what the services' books say against each other, and what is really on the nodes against both.
 * It reports what does not match, and nothing else. A server with work in progress is between two states, so nothing
 * about it is a finding; nor is anything on a node that could not be asked, beyond that fact itself.
 */
import { bookRules } from './book-rules.js';
import { type BookRow, Books } from './books.js';
import type { Finding, Ground } from './finding.js';
import { networkRules } from './network-rules.js';
import { serverRules } from './server-rules.js';

const RULES = [...bookRules, ...serverRules, ...networkRules];

/** What does not match, sorted by code and id. */
export function audit(rows: readonly BookRow[]): Finding[] {
  const books = new Books(rows);
  const servers = books.byId('server');
  const seen = new Set(
    books
      .all('node')
      .filter((row) => row.facts['inventory'] === 'ok')
      .map((row) => row.id),
  );
  const inProgress = [...servers.values()].filter((row) => row.facts['task'] === 'running').map((row) => row.id);
  const busy = new Set([
    ...inProgress,
    ...books.all('debt').map((row) => row.serverId),
    ...books.all('task_running').map((row) => row.serverId),
  ]);
  const settled = [...servers.values()].filter((row) => !busy.has(row.id));
  const ground: Ground = { books, servers, settled, seen, busy };
  return RULES.flatMap((rule) => rule(ground)).sort((a, b) => `${a.code} ${a.id}`.localeCompare(`${b.code} ${b.id}`));
}

/** Findings of two looks some moments apart: what is in both is real, the rest was on its way. */
export function persistent(first: readonly Finding[], second: readonly Finding[]): Finding[] {
  const before = new Set(first.map((found) => `${found.code} ${found.id} ${found.node}`));
  return second.filter((found) => before.has(`${found.code} ${found.id} ${found.node}`));
}
