/** Sealing and opening the confidential columns of a server. */
import type { Sql } from '#libs/platform/db';
import type { InjectedFile, ServerSecrets } from '#services/compute/domain';
import type { Seal } from './seal.js';

/** The confidential columns as they lie in the database. */
export interface SealedRow {
  readonly userData: Buffer | null;
  readonly adminPass: Buffer | null;
  readonly newPass: Buffer | null;
  readonly files: Buffer | null;
}

/** What a server is made with. */
export type BootSecrets = Omit<ServerSecrets, 'newPass'>;

const SELECT = {
  name: 'server.secrets',
  text: 'select user_data as "userData", admin_pass as "adminPass", new_pass as "newPass", files from server where id = $1',
};

const purpose = (id: string, column: string): string => `server/${id}/${column}`;

export async function openSecrets(on: Sql, seal: Seal, id: string): Promise<ServerSecrets | undefined> {
  const row = await on.one<SealedRow>(SELECT, [id]);
  return row && unsealed(seal, id, row);
}

/** What a row of theirs holds. */
export function unsealed(seal: Seal, id: string, row: SealedRow): ServerSecrets {
  const open = (box: Buffer | null, column: string) => (box === null ? null : seal.open(box, purpose(id, column)));
  const files = open(row.files, 'files');
  return {
    userData: open(row.userData, 'user_data'),
    adminPass: open(row.adminPass, 'admin_pass'),
    newPass: open(row.newPass, 'new_pass'),
    files: files === null ? [] : (JSON.parse(files) as InjectedFile[]),
  };
}

const closed = (seal: Seal, id: string, text: string | null, column: string): Buffer | null =>
  text === null ? null : seal.close(text, purpose(id, column));
const filesText = (files: readonly InjectedFile[]): string | null => (files.length ? JSON.stringify(files) : null);

/** The sealed columns of a new server. */
export function sealSecrets(seal: Seal, id: string, secrets: BootSecrets): Omit<SealedRow, 'newPass'> {
  return {
    userData: closed(seal, id, secrets.userData, 'user_data'),
    adminPass: closed(seal, id, secrets.adminPass, 'admin_pass'),
    files: closed(seal, id, filesText(secrets.files), 'files'),
  };
}

/** The columns that a change of some secrets writes, with their sealed values. */
export function sealedColumns(
  seal: Seal,
  id: string,
  { userData, adminPass, newPass, files }: Partial<ServerSecrets>,
): (readonly [column: string, box: Buffer | null])[] {
  const texts: readonly (readonly [string, string | null | undefined])[] = [
    ['user_data', userData],
    ['admin_pass', adminPass],
    ['new_pass', newPass],
    ['files', files && filesText(files)],
  ];
  return texts.flatMap(([column, text]) => (text === undefined ? [] : [[column, closed(seal, id, text, column)]]));
}

/** User data of a list's servers, for administrators at the versions that show it. */
export async function openUserData(on: Sql, seal: Seal, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await on.query<{ id: string; box: Buffer }>(
    'select id, user_data as box from server where id = any ($1) and user_data is not null',
    [ids],
  );
  return new Map(rows.map(({ id, box }) => [id, seal.open(box, purpose(id, 'user_data'))]));
}
