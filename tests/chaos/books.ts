/** What the services' books say of servers, straight from each service, for a comparison that owes the auditor nothing. */
import { join } from 'node:path';
import { operatorV1 } from '#libs/contract';
import { readConfig } from '#libs/platform/config';
import { connectGrpc } from '#libs/platform/grpc';
import { isPlaced } from './actions.js';

/** Sorted ids of servers by what is recorded of them, and classes beyond capacity. */
export interface Holdings {
  /** With a node, and with none but with all that they need to have one again. */
  readonly placed: readonly string[];
  readonly unplaced: readonly string[];
  readonly claims: readonly string[];
  readonly ports: readonly string[];
  readonly domains: readonly string[];
  readonly oversubscribed: readonly string[];
}

/** Asks compute (which asks the nodes), placement and network. Throws when one of them does not answer. */
export async function holdings(state: string): Promise<Holdings> {
  const { peers, tls } = readConfig(join(state, 'etc', 'cli.json'));
  const ask = async (service: string): Promise<operatorV1.BookRow[]> => {
    const operator = connectGrpc(operatorV1.OperatorService, peers?.[service] ?? [], service, tls);
    try {
      return (await operator.books({}, { deadlineMs: 30_000 })).rows;
    } finally {
      operator.close();
    }
  };
  const rows = (await Promise.all(['compute', 'placement', 'network'].map(ask))).flat();
  const servers = (kind: string, which: (row: operatorV1.BookRow) => boolean = () => true): string[] =>
    [
      ...new Set(
        rows.filter((row) => row.kind === kind && row.serverId !== '' && which(row)).map((row) => row.serverId),
      ),
    ].sort();
  const known = rows.filter((row) => row.kind === 'server' && row.state !== 'error');
  const idsOf = (which: (state: string) => boolean) => known.filter(({ state: is }) => which(is)).map(({ id }) => id);
  const full = (row: operatorV1.BookRow): boolean => Number(row.facts['used']) > Number(row.facts['capacity']);
  return {
    placed: idsOf(isPlaced).sort(),
    unplaced: idsOf((is) => !isPlaced(is)).sort(),
    claims: servers('allocation'),
    ports: servers('port'),
    domains: servers('domain'),
    oversubscribed: rows.filter((row) => row.kind === 'inventory' && full(row)).map((row) => row.id),
  };
}
