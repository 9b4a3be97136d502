import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OvsdbClient } from './client.js';
import { integer, optional, references, setOf, text, textMap } from './columns.js';
import type { OvsdbError } from './errors.js';
import { FakeServer } from './fake-server.fixture.js';
import type { Change } from './replica.js';

const tables = {
  Thing: {
    name: text,
    size: integer,
    up: optional<boolean>('boolean'),
    tags: setOf<string>('string'),
    friends: references,
    ids: textMap(),
  },
};
type Things = typeof tables;

let server: FakeServer;
let client: OvsdbClient<Things>;
const changes: Change<Things>[] = [];

function newClient(remotes = `unix:${server.path}`, probeMs = 1000): OvsdbClient<Things> {
  client = new OvsdbClient({ remotes, database: 'Things', tables, probeMs, backoffMs: [5, 20] });
  client.onChanges((batch) => changes.push(...batch));
  return client.start();
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('the condition never came true');
}

beforeEach(async () => {
  changes.length = 0;
  server = await new FakeServer().listen();
});
afterEach(async () => {
  client.close();
  await server.close();
});

describe('the replica', () => {
  it('begins with the snapshot and follows reports', async () => {
    server.snapshot = [false, 't1', { Thing: { u1: { initial: { name: 'a', tags: ['set', ['x', 'y']] } } } }];
    await newClient().synced(2000);
    expect(client.replica.row('Thing', 'u1')).toMatchObject({ _uuid: 'u1', name: 'a', size: 0, up: null });
    server.report('t2', {
      Thing: { u1: { modify: { up: true, tags: 'x' } }, u2: { insert: { name: 'b', friends: ['uuid', 'u1'] } } },
    });
    await until(() => client.replica.table('Thing').size === 2);
    expect(client.replica.row('Thing', 'u1')?.up).toBe(true);
    expect([...(client.replica.row('Thing', 'u1')?.tags ?? [])]).toEqual(['y']);
    server.report('t3', { Thing: { u1: { delete: null } } });
    await until(() => client.replica.table('Thing').size === 1);
    expect(changes.map((c) => [c.kind, c.uuid])).toEqual([
      ['insert', 'u1'],
      ['modify', 'u1'],
      ['insert', 'u2'],
      ['delete', 'u1'],
    ]);
    expect(changes[1]?.columns).toEqual(['up', 'tags']);
  });

  it('takes reports that arrive in one chunk with the snapshot after it', async () => {
    newClient();
    await until(() => server.calls('monitor_cond_since').length === 1);
    server.report('t2', { Thing: { u9: { insert: { name: 'late' } } } });
    await until(() => client.replica.row('Thing', 'u9') !== undefined);
  });

  it('resumes after the last transaction it saw', async () => {
    server.snapshot = [false, 't1', { Thing: { u1: { initial: { name: 'a' } } } }];
    await newClient().synced(2000);
    server.report('t7', { Thing: { u1: { modify: { size: 3 } } } });
    await until(() => client.replica.row('Thing', 'u1')?.size === 3);
    server.snapshot = [true, 't8', { Thing: { u1: { modify: { size: 4 } } } }];
    server.dropAll();
    await until(() => client.replica.row('Thing', 'u1')?.size === 4);
    expect(server.calls('monitor_cond_since').map((call) => call.params[3])).toEqual([
      '00000000-0000-0000-0000-000000000000',
      't7',
    ]);
  });

  it('drops rows that are gone when the server sends everything anew', async () => {
    server.snapshot = [false, 't1', { Thing: { u1: { initial: { name: 'a' } }, u2: { initial: { name: 'b' } } } }];
    await newClient().synced(2000);
    server.snapshot = [false, 't9', { Thing: { u2: { initial: { name: 'c' } } } }];
    server.dropAll();
    await until(() => client.replica.row('Thing', 'u2')?.name === 'c');
    expect(client.replica.row('Thing', 'u1')).toBeUndefined();
    expect(changes.slice(2).map((c) => [c.kind, c.uuid])).toEqual([
      ['delete', 'u1'],
      ['modify', 'u2'],
    ]);
  });
});

describe('transactions', () => {
  it('return their results', async () => {
    server.transacts = [{ result: [{ count: 1 }] }];
    await newClient().synced(2000);
    expect(await client.transact([client.ops.delete('Thing', 'u1')])).toEqual([{ count: 1 }]);
    expect(server.calls('transact')[0]?.params[0]).toBe('Things');
  });

  it('throw the refusal of the first refused operation', async () => {
    server.transacts = [{ result: [{ count: 1 }, { error: 'duplicate uuid', details: 'u1' }, null] }];
    await newClient().synced(2000);
    const error = await client.transact([]).catch((e: OvsdbError) => e);
    expect(error).toMatchObject({ kind: 'refused', refusal: { code: 'duplicate uuid', details: 'u1', op: 1 } });
  });

  it('say when the outcome is unknown', async () => {
    server.transacts = ['hang-up'];
    await newClient().synced(2000);
    await expect(client.transact([])).rejects.toMatchObject({ kind: 'outcome-unknown' });
  });

  it('treat a missing answer as a lost connection', async () => {
    server.transacts = ['silence'];
    await newClient().synced(2000);
    await expect(client.transact([], { timeoutMs: 30 })).rejects.toMatchObject({ kind: 'outcome-unknown' });
    await client.synced(2000);
    expect(server.connections).toBe(2);
  });

  it('fail at once without a server', async () => {
    newClient('unix:/nowhere/at/all.sock');
    await expect(client.transact([])).rejects.toMatchObject({ kind: 'not-connected' });
    await expect(client.synced(30)).rejects.toMatchObject({ kind: 'not-connected' });
  });
});

describe('a certain transaction', () => {
  const insert = () => [client.ops.insert('Thing', 'u1', { name: 'a' })];

  it('is not sent again when its effect shows after the connection was lost', async () => {
    server.transacts = ['hang-up'];
    await newClient().synced(2000);
    server.snapshot = [true, 't2', { Thing: { u1: { insert: { name: 'a' } } } }];
    await client.transactCertain(insert(), (replica) => replica.row('Thing', 'u1') !== undefined);
    expect(server.calls('transact')).toHaveLength(1);
  });

  it('is sent again when its effect does not show', async () => {
    server.transacts = ['hang-up', { result: [{ uuid: ['uuid', 'u1'] }] }];
    await newClient().synced(2000);
    await client.transactCertain(insert(), (replica) => replica.row('Thing', 'u1') !== undefined);
    expect(server.calls('transact')).toHaveLength(2);
  });

  it('passes refusals on', async () => {
    server.transacts = [{ result: [{ error: 'constraint violation', details: '' }] }];
    await newClient().synced(2000);
    await expect(client.transactCertain(insert(), () => false)).rejects.toMatchObject({ kind: 'refused' });
  });
});

describe('the connection', () => {
  it('passes over a member that does not lead', async () => {
    const other = await new FakeServer().listen();
    server.leader = false;
    await newClient(`unix:${server.path},unix:${other.path}`).synced(2000);
    expect(other.calls('monitor_cond_since')).toHaveLength(1);
    expect(server.calls('monitor_cond_since')).toHaveLength(0);
    client.close();
    await other.close();
  });

  it('leaves a member that loses the lead', async () => {
    await newClient().synced(2000);
    server.send({
      id: null,
      method: 'update2',
      params: ['yagura-server', { Database: { r1: { modify: { leader: false } } } }],
    });
    await until(() => server.connections === 2);
  });

  it('answers echo and probes a silent peer, then leaves it', async () => {
    await newClient(undefined, 20).synced(2000);
    server.send({ id: 'echo', method: 'echo', params: ['x'] });
    await until(() => server.calls('answer').length === 1);
    await until(() => server.calls('echo').length > 2);
    expect(server.connections).toBe(1);
    server.answersEcho = false;
    await until(() => server.connections > 1);
  });

  it('begins anew after nonsense', async () => {
    await newClient().synced(2000);
    server.send('[1,,]');
    await until(() => server.calls('monitor_cond_since').length === 2);
    expect(server.calls('monitor_cond_since')[1]?.params[3]).toBe('00000000-0000-0000-0000-000000000000');
  });

  it('stays closed', async () => {
    await newClient().synced(2000);
    client.close();
    await expect(client.synced(1000)).rejects.toMatchObject({ kind: 'closed' });
    await expect(client.transact([])).rejects.toMatchObject({ kind: 'not-connected' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.connections).toBe(1);
  });
});
