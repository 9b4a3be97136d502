/** OVSDB client (RFC 7047 and the extensions of ovsdb-server): replica, transactions, reconnect. */
export { type ClientState, OvsdbClient, type OvsdbOptions, type TransactOptions } from './client.js';
export {
  bool,
  type Column,
  type DatabaseSpec,
  integer,
  integerMap,
  optional,
  type Row,
  real,
  reference,
  references,
  setOf,
  type TableSpec,
  text,
  textMap,
  type Values,
} from './columns.js';
export { isOvsdbError, OvsdbError, type OvsdbErrorKind, type Refusal } from './errors.js';
export { type Condition, type Operation, type OperationResult, Operations } from './operations.js';
export { parseRemotes, type Remote, type TlsFiles } from './remote.js';
export { type Change, Replica } from './replica.js';
