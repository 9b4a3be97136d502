/**
 * What happens on a fresh connection before it is of use: the leader check, the
 * schema check, and the monitor that fills or resumes the replica.
 */
import type { DatabaseSpec } from './columns.js';
import type { WireRow } from './datum.js';
import { atomValue, setAtoms } from './datum.js';
import { OvsdbError } from './errors.js';
import type { TableUpdates } from './replica.js';
import { checkSchema } from './schema.js';
import type { Session } from './session.js';

export const SERVER_MONITOR = 'yagura-server';
export const DATA_MONITOR = 'yagura-data';
export const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000';

/** What a server says of itself in its `_Server` database. */
interface Standing {
  readonly row: string;
  readonly leading: boolean;
}

function leads(row: WireRow): boolean {
  const is = (column: string): boolean => {
    const datum = row[column];
    const atom = datum === undefined ? undefined : setAtoms(datum)[0];
    return atom !== undefined && atomValue(atom) === true;
  };
  return row.model !== 'clustered' || (is('connected') && is('leader'));
}

function standing(answer: unknown, database: string): Standing {
  const rows = (answer as TableUpdates).Database ?? {};
  for (const [row, update] of Object.entries(rows)) {
    const values = update.initial;
    if (values?.name === database) return { row, leading: leads(values) };
  }
  throw new OvsdbError('protocol', `the server does not serve ${database}`);
}

/**
 * Follows the server's view of its own role and returns the row to watch; throws
 * when this member of a cluster does not lead.
 */
export async function checkLeader(session: Session, database: string, timeoutMs: number): Promise<string> {
  const columns = ['name', 'model', 'connected', 'leader'];
  const params = ['_Server', SERVER_MONITOR, { Database: [{ columns }] }];
  const answer = await session.call('monitor_cond', params, { timeoutMs });
  const { row, leading } = standing(answer, database);
  if (!leading) throw new OvsdbError('not-connected', 'this member of the cluster does not lead');
  return row;
}

/** True when a report on the watched row says that the server leads no longer. */
export function leadershipLost(updates: unknown, row: string): boolean {
  const update = (updates as TableUpdates).Database?.[row];
  if (update === undefined) return false;
  if (Object.hasOwn(update, 'delete')) return true;
  const { modify } = update;
  return modify !== undefined && (modify.leader === false || modify.connected === false);
}

export async function verifySchema(
  session: Session,
  database: string,
  tables: DatabaseSpec,
  timeoutMs: number,
): Promise<void> {
  checkSchema(tables, await session.call('get_schema', [database], { timeoutMs }));
}

export interface MonitorAnswer {
  /** True when `updates` continues from the transaction that was named. */
  readonly resumed: boolean;
  readonly transaction: string;
  readonly updates: TableUpdates;
}

/** Starts the monitor; `take` runs before any later report is looked at. */
export async function monitorSince(
  session: Session,
  database: string,
  tables: DatabaseSpec,
  transaction: string,
  take: (answer: MonitorAnswer) => void,
): Promise<void> {
  const wanted = Object.fromEntries(
    Object.entries(tables).map(([table, spec]) => [table, [{ columns: Object.keys(spec) }]]),
  );
  await session.call('monitor_cond_since', [database, DATA_MONITOR, wanted, transaction], {
    onAnswer: (result) => {
      const [resumed, last, updates] = result as [boolean, string, TableUpdates];
      take({ resumed, transaction: last, updates });
    },
  });
}
