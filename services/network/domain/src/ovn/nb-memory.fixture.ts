/** The northbound database in memory, as far as plans see it: strong references are not followed. */
import type { NbActual, NbHolder, NbMembers, NbOp, NbTable, NbTables, TextSet } from './rows.js';

export class NbMemory implements NbActual {
  private readonly rows = new Map<string, NbTables[NbTable]>();
  private readonly sets = new Map<string, Set<string>>();

  row<T extends NbTable>(table: T, uuid: string): NbTables[T] | undefined {
    return this.rows.get(`${table} ${uuid}`) as NbTables[T] | undefined;
  }

  members<T extends NbHolder>(table: T, uuid: string, column: NbMembers[T]): TextSet {
    return this.sets.get(`${table} ${uuid} ${column}`) ?? new Set();
  }

  apply(ops: readonly NbOp[]): void {
    for (const op of ops) this.applyOne(op);
  }

  private applyOne(op: NbOp): void {
    const key = `${op.table} ${op.uuid}`;
    if (op.kind === 'delete') {
      this.rows.delete(key);
    } else if (op.kind === 'insert') {
      if (this.rows.has(key)) throw new Error(`duplicate uuid ${key}`);
      this.rows.set(key, op.values);
    } else if (op.kind === 'update') {
      this.rows.set(key, { ...this.rows.get(key), ...op.values } as NbTables[NbTable]);
    } else {
      if (!this.rows.has(key)) throw new Error(`no row ${key}`);
      const set = this.sets.get(`${key} ${op.column}`) ?? new Set<string>();
      for (const member of op.members) op.kind === 'add' ? set.add(member) : set.delete(member);
      this.sets.set(`${key} ${op.column}`, set);
    }
  }
}
