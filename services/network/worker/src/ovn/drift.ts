/**
 * Hears when somebody else changes or removes rows of ours in OVN, so that they are brought back at once and not at the
 * next full comparison. Our own transactions are told by the rows they name; what OVN itself reports in its own columns
 * is none of it. A false alarm costs a look at the books and changes nothing.
 */
import type { Change } from '#libs/platform/ovsdb';
import { GUARD_ID, guardAcls, KIND, NB_MEMBERS, type NbOp, OWNER } from '#services/network/domain';
import { REALIZERS } from './desired.js';
import type { NbClient, Northbound } from './northbound.js';
import type { Subject } from './realizer.js';

/** Columns that OVN writes and we only read. */
const REPORTED: Readonly<Record<string, readonly string[]>> = {
  Logical_Switch_Port: ['up'],
  Logical_Router_Port: ['status'],
};
/** With more changes than these at once a full comparison is the shorter way. */
const MANY = 500;

interface Marked {
  readonly external_ids: ReadonlyMap<string, string>;
}

const isOurs = ({ table, kind, columns }: Change<Northbound>): boolean =>
  table !== 'NB_Global' && (kind !== 'modify' || columns.some((column) => !REPORTED[table]?.includes(column)));

const OWN_ROWS = REALIZERS.flatMap((realizer) => realizer.rows);
/** Rows for everyone, and rows that can not tell any more which resource they stood for. */
const tellsNothing = ({ table, uuid, kind }: Change<Northbound>): boolean =>
  uuid === GUARD_ID ||
  guardAcls.has(uuid) ||
  (kind === 'delete' && OWN_ROWS.some((own) => own.table === table && own.byOwner === true));
const keyOf = (table: string, uuid: string): string => `${table} ${uuid}`;

export class DriftWatch {
  private own: ReadonlySet<string> | null = null;
  /** Reports since then that name one of those rows. */
  private reports: (readonly Change<Northbound>[])[] = [];
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly client: NbClient,
    private readonly tell: (subjects: readonly Subject[] | 'everything') => void,
  ) {}

  start(): void {
    this.unsubscribe = this.client.onChanges((changes) => this.hear(changes));
  }

  stop(): void {
    this.unsubscribe();
  }

  /**
   * What these operations change while the work runs is ours. It is one transaction, and its report comes before its
   * answer: where more than one report names these rows, somebody else has changed them meanwhile; and where the work
   * failed, any may be somebody else's.
   */
  async ownWork<T>(operations: readonly NbOp[], work: () => Promise<T>): Promise<T> {
    this.own = new Set(operations.map((operation) => keyOf(operation.table, operation.uuid)));
    this.reports = [];
    let expected = 0;
    try {
      const done = await work();
      expected = 1;
      return done;
    } finally {
      this.own = null;
      if (this.reports.length > expected) this.tellOf(this.reports.flat());
    }
  }

  private hear(changes: readonly Change<Northbound>[]): void {
    // One report is one transaction: with all that follows from it in rows that it did not name.
    if (changes.some(({ table, uuid }) => this.own?.has(keyOf(table, uuid)))) this.reports.push(changes);
    else this.tellOf(changes);
  }

  private tellOf(changes: readonly Change<Northbound>[]): void {
    const foreign = changes.filter(isOurs);
    const subjects = new Map<string, Subject>();
    for (const { table, uuid } of foreign.slice(0, MANY)) {
      for (const subject of this.subjectsOf(table, uuid, 2)) subjects.set(keyOf(subject.kind, subject.id), subject);
    }
    const all = foreign.length > MANY || foreign.some(tellsNothing);
    if (all) this.tell('everything');
    else if (subjects.size > 0) this.tell([...subjects.values()]);
  }

  /** The resources that a row stands for, or whose rows hold it. A row that nobody of ours knows is for none. */
  private subjectsOf(table: string, uuid: string, depth: number): Subject[] {
    const known = OWN_ROWS.filter((own) => own.table === table);
    const row = this.client.replica.row(table as keyof Northbound, uuid) as Partial<Marked> | undefined;
    const mark = row?.external_ids?.get(KIND);
    const own = row === undefined ? known[0] : known.find(({ marks }) => marks.includes(mark ?? ''));
    if (own) return [{ kind: own.kind, id: row?.external_ids?.get(OWNER) ?? uuid }];
    return depth === 0
      ? []
      : this.holdersOf(table, uuid).flatMap(([holder, id]) => this.subjectsOf(holder, id, depth - 1));
  }

  private holdersOf(table: string, uuid: string): (readonly [string, string])[] {
    return NB_MEMBERS.filter(([, , members]) => members === table).flatMap(([holder, column]) => {
      const rows = this.client.replica.table(holder) as ReadonlyMap<string, Readonly<Record<string, unknown>>>;
      return [...rows]
        .filter(([, row]) => (row[column] as ReadonlySet<string>).has(uuid))
        .map(([id]) => [holder, id] as const);
    });
  }
}
