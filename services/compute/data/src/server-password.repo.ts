/** The password that a guest posted for its owner. The first one stands until the owner clears it. */
import type { Sql } from '#libs/platform/db';
import type { Seal } from './seal.js';

/** What such a password is sealed for. */
export const purposeOfPassword = (serverId: string): string => `server/${serverId}/guest_password`;

const FIND = { name: 'server_password.find', text: 'select password from server_password where server_id = $1' };
const KEEP = {
  name: 'server_password.keep',
  text: `insert into server_password (server_id, password) select id, $2 from server where id = $1
    on conflict (server_id) do nothing`,
};
const CLEAR = { name: 'server_password.clear', text: 'delete from server_password where server_id = $1' };

export class ServerPasswordRepo {
  constructor(private readonly seal: Seal) {}

  /** Empty where there is none. */
  async find(on: Sql, serverId: string): Promise<string> {
    const row = await on.one<{ password: Buffer }>(FIND, [serverId]);
    return row ? this.seal.open(row.password, purposeOfPassword(serverId)) : '';
  }

  /** False: there is one already, or the server is gone. */
  async keep(on: Sql, serverId: string, password: string): Promise<boolean> {
    return (await on.exec(KEEP, [serverId, this.seal.close(password, purposeOfPassword(serverId))])) === 1;
  }

  /** False: there was none. */
  async clear(on: Sql, serverId: string): Promise<boolean> {
    return (await on.exec(CLEAR, [serverId])) === 1;
  }
}
