import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OvnDatabases, startOvnDatabases } from '#libs/testing';
import { OvsdbClient } from './client.js';
import { integer, optional, references, text, textMap } from './columns.js';

const tables = {
  Logical_Switch: { name: text, ports: references, external_ids: textMap() },
  Logical_Switch_Port: { name: text, up: optional<boolean>('boolean'), external_ids: textMap() },
  NB_Global: { nb_cfg: integer },
};

const SWITCH = '5d3a3ad8-33c3-4d2f-9c29-4d6a1a5f0001';
const PORT = '5d3a3ad8-33c3-4d2f-9c29-4d6a1a5f0002';

let ovn: OvnDatabases;
let client: OvsdbClient<typeof tables>;

beforeAll(async () => {
  ovn = await startOvnDatabases({ northd: false });
  client = new OvsdbClient({ remotes: ovn.nb, database: 'OVN_Northbound', tables, backoffMs: [10, 50] }).start();
  await client.synced(5000);
});
afterAll(() => {
  client.close();
  ovn.stop();
});

const makeSwitch = () => {
  const { ops } = client;
  return [
    ops.insert('Logical_Switch', SWITCH, { name: 'net', external_ids: new Map([['owner', 'us']]) }),
    ops.insert('Logical_Switch_Port', PORT, { name: 'port' }),
    ops.mutateSet('Logical_Switch', SWITCH, 'ports', 'insert', [PORT]),
  ];
};

describe('against a real ovsdb-server', () => {
  it('inserts rows under ids of its own; the replica shows them when the promise resolves', async () => {
    await client.transact(makeSwitch());
    const row = client.replica.row('Logical_Switch', SWITCH);
    expect(row?.name).toBe('net');
    expect(row?.external_ids.get('owner')).toBe('us');
    expect([...(row?.ports ?? [])]).toEqual([PORT]);
  });

  it('learns that a repeated insert happened before', async () => {
    const error = await client.transact(makeSwitch()).catch((e: unknown) => e);
    expect(error).toMatchObject({ kind: 'refused', refusal: { code: 'duplicate uuid', op: 0 } });
    await client.transactCertain(makeSwitch(), (replica) => replica.row('Logical_Switch', SWITCH) !== undefined);
  });

  it('guards a transaction with a wait', async () => {
    const { ops } = client;
    const rename = ops.update('Logical_Switch', SWITCH, { name: 'renamed' });
    const wrong = client.transact([ops.expect('Logical_Switch', SWITCH, { name: 'other' }), rename]);
    await expect(wrong).rejects.toMatchObject({ kind: 'refused', refusal: { code: 'timed out' } });
    await client.transact([ops.expect('Logical_Switch', SWITCH, { name: 'net' }), rename]);
    expect(client.replica.row('Logical_Switch', SWITCH)?.name).toBe('renamed');
    const none = ops.expectNone('Logical_Switch', [['name', '==', 'renamed']], ['name']);
    await expect(client.transact([none])).rejects.toMatchObject({ kind: 'refused' });
  });

  it('changes entries of a map and guards by them', async () => {
    const { ops } = client;
    await client.transact([ops.putEntries('Logical_Switch', SWITCH, 'external_ids', { leader: '7' })]);
    await client.transact([ops.putEntries('Logical_Switch', SWITCH, 'external_ids', { leader: '8', more: 'x' })]);
    const ids = client.replica.row('Logical_Switch', SWITCH)?.external_ids;
    expect(Object.fromEntries(ids ?? [])).toEqual({ owner: 'us', leader: '8', more: 'x' });
    const still = (leader: string) =>
      ops.expectStill('Logical_Switch', SWITCH, [['external_ids', 'includes', ['map', [['leader', leader]]]]]);
    await client.transact([still('8')]);
    await expect(client.transact([still('7')])).rejects.toMatchObject({ refusal: { code: 'timed out', op: 0 } });
  });

  it('resumes after the server was killed, keeping the rows it had', async () => {
    const seen: string[] = [];
    const stop = client.onChanges((changes) => seen.push(...changes.map((c) => `${c.kind} ${c.uuid}`)));
    await ovn.restartNb();
    await expect.poll(() => client.state, { timeout: 5000 }).toBe('synced');
    ovn.tool('ovn-nbctl', 'lsp-set-enabled', 'port', 'disabled');
    ovn.tool('ovn-nbctl', 'ls-add', 'foreign');
    await expect.poll(() => client.replica.table('Logical_Switch').size, { timeout: 5000 }).toBe(2);
    stop();
    expect(seen.filter((change) => change.startsWith('delete'))).toEqual([]);
  });

  it('drops what the server dropped with the last reference', async () => {
    await client.transact([client.ops.delete('Logical_Switch', SWITCH)]);
    expect(client.replica.row('Logical_Switch_Port', PORT)).toBeUndefined();
  });

  it('runs many transactions at once and in order', async () => {
    const { ops } = client;
    const row = [...client.replica.table('Logical_Switch').values()][0];
    const names = Array.from({ length: 200 }, (_, i) => `n${i}`);
    await Promise.all(names.map((name) => client.transact([ops.update('Logical_Switch', row?._uuid ?? '', { name })])));
    expect(row?.name).toBe('n199');
  });
});
