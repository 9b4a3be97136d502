/**
 * Schema changes are numbered SQL files that never change once applied. Each runs in a transaction together with the row
 * that records it; an advisory lock lets processes that start at once take turns.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Client } from 'pg';

/** A folder of `NNNN_name.sql` files. The set's name keeps the numbers of a library and of a service apart. */
export interface MigrationSet {
  readonly set: string;
  readonly dir: string;
}

interface Migration {
  readonly version: string;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

const FILE = /^(\d{4})_([a-z0-9_]+)\.sql$/;
/** Any constant serves; all of our processes use this one, per database. */
const LOCK = 7_246_815;

/** Compiled code lies under `dist/` in the same shape; the SQL files stay in the checkout where they were not copied. */
function folderOf(dir: string): string {
  return existsSync(dir) ? dir : dir.replace(`${sep}dist${sep}`, sep);
}

/** The migrations of a folder in order. Throws on a stray or doubled file. */
export function readMigrations(dir: string): Migration[] {
  const folder = folderOf(dir);
  const migrations = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const parts = FILE.exec(file);
      if (!parts) throw new Error(`${join(folder, file)}: migrations are named NNNN_name.sql`);
      const sql = readFileSync(join(folder, file), 'utf8');
      return { version: parts[1]!, name: parts[2]!, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
  const doubled = migrations.find((migration, index) => migrations[index - 1]?.version === migration.version);
  if (doubled) throw new Error(`${folder}: two migrations are numbered ${doubled.version}`);
  return migrations;
}

/** Brings the database of an open connection up to date. Throws when an applied file has changed since. */
export async function migrate(client: Client, sets: readonly MigrationSet[]): Promise<number> {
  await client.query('set statement_timeout = 0');
  await client.query('select pg_advisory_lock($1)', [LOCK]);
  try {
    await client.query(`create table if not exists schema_migration (
      set_name text not null, version text not null, name text not null, checksum text not null,
      applied_at timestamptz not null default now(), primary key (set_name, version))`);
    let applied = 0;
    for (const set of sets) applied += await migrateSet(client, set);
    return applied;
  } finally {
    await client.query('select pg_advisory_unlock($1)', [LOCK]).catch(() => undefined);
  }
}

async function migrateSet(client: Client, set: MigrationSet): Promise<number> {
  const { rows } = await client.query<{ version: string; checksum: string }>(
    'select version, checksum from schema_migration where set_name = $1',
    [set.set],
  );
  const known = new Map(rows.map((row) => [row.version, row.checksum]));
  let applied = 0;
  for (const migration of readMigrations(set.dir)) {
    const checksum = known.get(migration.version);
    if (checksum === migration.checksum) continue;
    if (checksum)
      throw new Error(`migration ${set.set}/${migration.version}_${migration.name} has changed since it was applied`);
    await apply(client, set.set, migration);
    applied += 1;
  }
  return applied;
}

async function apply(client: Client, set: string, migration: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query(migration.sql);
    await client.query('insert into schema_migration (set_name, version, name, checksum) values ($1, $2, $3, $4)', [
      set,
      migration.version,
      migration.name,
      migration.checksum,
    ]);
    await client.query('commit');
  } catch (cause) {
    await client.query('rollback').catch(() => undefined);
    throw new Error(`migration ${set}/${migration.version}_${migration.name} failed`, { cause });
  }
}
