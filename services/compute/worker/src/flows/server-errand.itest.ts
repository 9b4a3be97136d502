import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GUEST_AGENT_SILENT } from '#libs/contract';
import { insertTask } from '#libs/platform/flow';
import { SERVER_CHANGE_PASSWORD, SERVER_STOP, SERVER_TRIGGER_CRASH_DUMP, serverKey } from '#services/compute/domain';
import type { FakeNode } from '../testbed/fake-node.fixture.js';
import { Testbed } from '../testbed/testbed.fixture.js';

const NEW = 'canary-new-pass';

let bed: Testbed;
let node: FakeNode;
let serverId = '';
beforeEach(async () => {
  bed = await Testbed.open();
  node = await bed.node('node-1');
  await bed.run();
  serverId = await bed.active();
});
afterEach(() => bed.close());

async function ask(kind: string): Promise<void> {
  await bed.db.tx(async (tx) => {
    const change = kind === SERVER_CHANGE_PASSWORD;
    const patch = change ? { secrets: { newPass: NEW } } : {};
    const move = change ? 'changePassword' : 'triggerCrashDump';
    expect(await bed.servers.move(tx, serverId, move, bed.now(), patch)).toBeDefined();
    await insertTask(tx, { id: randomUUID(), kind, key: serverKey(serverId), input: { serverId } });
  });
  await bed.settled(serverId);
}
const task = async () => (await bed.tasksOf(serverId)).at(-1)!;
const spec = () => bed.service.getSpec({ serverId, node: '' }, { name: 'node-1', requestId: '' });
/** All that the database holds of flows and servers, as text. */
const dump = async () =>
  JSON.stringify([
    await bed.db.query('select t::text from task t'),
    await bed.db.query('select t::text from task_step t'),
    await bed.db.query('select t::text from server_report t'),
    await bed.db.query('select t::text, encode(new_pass, $1) from server t', ['escape']),
  ]);

it('sets the password of the image’s administrator in the guest that runs, and forgets it', async () => {
  await bed.db.exec(`update server set image = jsonb_set(image, '{properties}', '{"os_admin_user": "debian"}')`);
  await ask(SERVER_CHANGE_PASSWORD);
  expect(node.errands).toEqual([{ serverId, kind: 'password', secret: `debian:${NEW}`, power: 'running' }]);
  expect(await bed.server(serverId)).toMatchObject({ vmState: 'active', taskState: null });
  expect((await spec()).errand).toBeUndefined();
  expect(await bed.servers.secrets(bed.db, serverId)).toMatchObject({ newPass: null });
  expect(await task()).toMatchObject({ state: 'done' });
  expect(await dump()).not.toContain('canary');
});

it.each([
  [GUEST_AGENT_SILENT, 'notImplemented'],
  ['error setting admin password', 'conflict'],
])('leaves the server as it was where the guest does not take it: %s', async (why, failureKind) => {
  node.errandFailure = why;
  await ask(SERVER_CHANGE_PASSWORD);
  const failure = `Failed to set admin password on ${serverId} because ${why}`;
  expect(await task()).toMatchObject({ state: 'undone', failureKind, failure });
  expect(await bed.server(serverId)).toMatchObject({ vmState: 'active', taskState: null, fault: null });
  expect(await bed.servers.secrets(bed.db, serverId)).toMatchObject({ newPass: null });
  node.errandFailure = undefined;
  expect((await spec()).errand).toBeUndefined();
  expect(await bed.running(serverId)).toEqual([]);
  expect(await dump()).not.toContain('canary');
});

it('sends an interrupt once, and none later for one that could not be sent', async () => {
  await ask(SERVER_TRIGGER_CRASH_DUMP);
  expect(node.errands).toEqual([{ serverId, kind: 'interrupt', secret: ':', power: 'running' }]);
  expect(await bed.running(serverId)).toEqual([]);
  node.errandFailure = 'its guest does not run';
  await ask(SERVER_TRIGGER_CRASH_DUMP);
  expect(await task()).toMatchObject({ state: 'undone', failureKind: 'conflict' });
  node.errandFailure = undefined;
  await bed.change(serverId, SERVER_STOP, 'stop');
  await bed.settled(serverId);
  expect(node.errands).toHaveLength(1);
});

it('gives up at once where the node is down', async () => {
  await bed.fallSilent(node);
  await ask(SERVER_CHANGE_PASSWORD);
  expect(await task()).toMatchObject({ state: 'undone', failureKind: 'unavailable' });
  expect(await bed.server(serverId)).toMatchObject({ vmState: 'active', taskState: null });
  expect(node.errands).toEqual([]);
});
