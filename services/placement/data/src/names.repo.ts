/** Resource classes and traits of the operator's own; the standard ones are known to the domain. */
import { fail } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { isCustomName, STANDARD_CLASSES, STANDARD_TRAITS } from '#services/placement/domain';

interface Kind {
  readonly table: 'custom_class' | 'custom_trait';
  readonly noun: string;
  readonly standard: ReadonlySet<string>;
  /** Whether something uses $1. */
  readonly used: string;
}

const CLASSES: Kind = {
  table: 'custom_class',
  noun: 'resource class',
  standard: new Set(STANDARD_CLASSES),
  used: 'select 1 from provider where inventories ? $1 limit 1',
};
const TRAITS: Kind = {
  table: 'custom_trait',
  noun: 'trait',
  standard: new Set(STANDARD_TRAITS),
  used: 'select 1 from provider where $1 = any (traits) limit 1',
};

/** One kind of names. */
export class NamesRepo {
  private constructor(
    private readonly db: Db,
    private readonly kind: Kind,
  ) {}

  static classes(db: Db): NamesRepo {
    return new NamesRepo(db, CLASSES);
  }

  static traits(db: Db): NamesRepo {
    return new NamesRepo(db, TRAITS);
  }

  /** Standard ones first, then custom ones by name. */
  async all(): Promise<string[]> {
    const custom = await this.db.query<{ name: string }>(`select name from ${this.kind.table} order by name`);
    return [...this.kind.standard, ...custom.map((row) => row.name)];
  }

  async has(name: string): Promise<boolean> {
    return this.kind.standard.has(name) || (await this.unknown([name])).length === 0;
  }

  /** Those of the names that do not exist. */
  async unknown(names: readonly string[]): Promise<string[]> {
    const custom = names.filter((name) => !this.kind.standard.has(name));
    if (!custom.length) return [];
    const known = await this.db.query<{ name: string }>(`select name from ${this.kind.table} where name = any ($1)`, [
      custom,
    ]);
    const found = new Set(known.map((row) => row.name));
    return custom.filter((name) => !found.has(name));
  }

  /** Returns whether it is new. */
  async create(name: string): Promise<boolean> {
    return (
      (await this.db.exec(`insert into ${this.kind.table} (name) values ($1) on conflict do nothing`, [name])) === 1
    );
  }

  /** Returns whether there was such a name to rename. */
  async rename(from: string, to: string): Promise<boolean> {
    return (await this.db.exec(`update ${this.kind.table} set name = $2 where name = $1`, [from, to])) === 1;
  }

  async remove(name: string): Promise<void> {
    const { noun, standard, table, used } = this.kind;
    if (standard.has(name)) throw fail.invalid(`Cannot delete standard ${noun} ${name}.`);
    await this.db.tx(async (tx) => {
      const known = isCustomName(name) && (await tx.one(`select 1 from ${table} where name = $1 for update`, [name]));
      if (!known) throw fail.notFound(`No such ${noun}: ${name}.`);
      if (await tx.one(used, [name])) throw fail.conflict(`The ${noun} ${name} is in use by a resource provider.`);
      await tx.exec(`delete from ${table} where name = $1`, [name]);
    });
  }
}
