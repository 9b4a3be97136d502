/**
 * A database as it is seen from within a transaction: whoever begins one is given the one that is under way. So stores
 * that each are one transaction by themselves become parts of a larger one. After the first failure all of it is lost.
 */
import type { Db, Tx } from '#libs/platform/db';

export const joined = (tx: Tx): Db => ({
  manager: tx.manager,
  query: (sql, params) => tx.query(sql, params),
  one: (sql, params) => tx.one(sql, params),
  exec: (sql, params) => tx.exec(sql, params),
  tx: (body) => body(tx),
  listen: () => Promise.reject(new Error('a transaction does not listen')),
  close: () => Promise.reject(new Error('a transaction is ended by whoever began it')),
});
