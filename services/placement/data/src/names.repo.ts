/** Resource classes and traits of the operator's own; the standard ones are known to the domain. */
import { fail } from '#libs/kernel';
import { type Db, isUnique, type Tx } from '#libs/platform/db';
import { isCustomName, STANDARD_CLASSES, STANDARD_TRAITS } from '#services/placement/domain';

interface Kind {
  readonly table: 'custom_class' | 'custom_trait';
  readonly standard: ReadonlySet<string>;
  /** Whether something uses $1. */
  readonly used: string;
  readonly words: {
    readonly unknown: (name: string) => string;
    readonly standard: (name: string) => string;
    readonly used: (name: string) => string;
  };
}

const CLASSES: Kind = {
  table: 'custom_class',
  standard: new Set(STANDARD_CLASSES),
  used: 'select 1 from provider where inventories ? $1 limit 1',
  words: {
    unknown: (name) => `No such resource class ${name}.`,
    standard: (name) => `Error in delete resource class: Cannot delete standard resource class ${name}.`,
    used: (name) =>
      `Error in delete resource class: Cannot delete resource class ${name}. Class is in use in inventory.`,
  },
};
const TRAITS: Kind = {
  table: 'custom_trait',
  standard: new Set(STANDARD_TRAITS),
  used: 'select 1 from provider where $1 = any (traits) limit 1',
  words: {
    unknown: (name) => `No such trait(s): ${name}.`,
    standard: (name) => `Cannot delete standard trait ${name}.`,
    used: (name) => `The trait ${name} is in use by a resource provider.`,
  },
};

/** What is held of a class under its old name, and offered, under the new one. */
const RENAME_OFFERED = `update provider set inventories = inventories - $1::text || jsonb_build_object($2::text, inventories -> $1),
    used = case when used ? $1 then used - $1::text || jsonb_build_object($2::text, used -> $1) else used end,
    generation = generation + 1, updated_at = now(), changed = pg_current_xact_id() where inventories ? $1`;
const RENAME_HELD = 'update allocation set class = $2 where class = $1';

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

  /** Returns whether there was such a name to rename. Throws `conflict` where the new one exists. */
  async rename(from: string, to: string): Promise<boolean> {
    try {
      return await this.db.tx(async (tx) => {
        const renamed = await tx.exec(`update ${this.kind.table} set name = $2 where name = $1`, [from, to]);
        if (!renamed) return false;
        await tx.exec(RENAME_OFFERED, [from, to]);
        await tx.exec(RENAME_HELD, [from, to]);
        return true;
      });
    } catch (error) {
      if (isUnique(error)) throw fail.conflict(`Resource class already exists: ${to}`);
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    const { standard, table, used, words } = this.kind;
    if (standard.has(name)) throw fail.invalid(words.standard(name));
    await this.db.tx(async (tx) => {
      const known = isCustomName(name) && (await tx.one(`select 1 from ${table} where name = $1 for update`, [name]));
      if (!known) throw fail.notFound(words.unknown(name.slice(0, 255)));
      if (await tx.one(used, [name])) throw fail.conflict(words.used(name));
      await tx.exec(`delete from ${table} where name = $1`, [name]);
    });
  }
}

/** Keeps custom names from being deleted until the transaction ends. Throws `invalid` where one is gone already. */
export async function holdNames(tx: Tx, kind: 'class' | 'trait', names: readonly string[]): Promise<void> {
  const { table, standard, words } = kind === 'class' ? CLASSES : TRAITS;
  const custom = names.filter((name) => !standard.has(name));
  if (!custom.length) return;
  const held = await tx.query<{ name: string }>(
    `select name from ${table} where name = any ($1) order by name for key share`,
    [custom],
  );
  const gone = custom.find((name) => !held.some((row) => row.name === name));
  if (gone !== undefined) throw fail.invalid(words.unknown(gone));
}
