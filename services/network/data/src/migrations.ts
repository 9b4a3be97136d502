import { join } from 'node:path';
import type { MigrationSet } from '#libs/platform/db';

/** The schema of this service's database. */
export const networkMigrations: MigrationSet = { set: 'service', dir: join(import.meta.dirname, '../migrations') };
