import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN, DEMO, OTHER, openStage, READER, type Stage } from '../compute.fixture.js';

let stage: Stage;
let id = '';
beforeAll(async () => {
  stage = await openStage();
  const body = { quota_set: { instances: -1, cores: -1, ram: -1 } };
  await stage.ask('PUT', '/v2.1/os-quota-sets/project-demo', { as: ADMIN, body });
  const flavor = (name: string, more: object) => ({ flavor: { name, id: name, ram: 128, vcpus: 1, disk: 1, ...more } });
  for (const made of [
    flavor('wide', { vcpus: 4, ram: 64 }),
    flavor('deep', { disk: 5 }),
    flavor('secret', { 'os-flavor-access:is_public': false }),
  ])
    await stage.ask('POST', '/v2.1/flavors', { as: ADMIN, body: made });
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.scratch.db.exec('delete from server');
  await stage.scratch.db.exec('delete from quota_usage');
  id = await stage.boot();
});

const act = (body: unknown, as = DEMO) => stage.ask('POST', `/v2.1/servers/${id}/action`, { body, as });
const resize = (flavorRef: unknown, more: object = {}, as = DEMO) => act({ resize: { flavorRef, ...more } }, as);
const said = ({ status, body }: Awaited<ReturnType<typeof act>>) => [
  status,
  Object.values<{ message: string }>(body)[0]!.message,
];
const task = () =>
  stage.scratch.db.one(`select kind, input from task where key = $1 and state <> 'done'`, [`server/${id}`]);
const usage = () => stage.books.quotas.usage(stage.scratch.db, 'project-demo');
const row = async () => (await stage.books.servers.find(stage.scratch.db, id))!;
const set = (sql: string) => stage.scratch.db.exec(`update server set ${sql} where id = $1`, [id]);

describe('a resize', () => {
  it('is taken, with the larger of both flavors in the quota', async () => {
    expect(await usage()).toEqual({ instances: 1, cores: 1, ram: 128 });
    const answer = await resize('wide', { 'OS-DCF:diskConfig': 'AUTO' });
    expect([answer.status, answer.body]).toEqual([202, undefined]);
    expect(await task()).toMatchObject({
      kind: 'server.resize',
      input: { serverId: id, resize: { from: { id: '1' }, to: { id: 'wide', vcpus: 4 }, vmState: 'active', at: null } },
    });
    expect(await usage()).toEqual({ instances: 1, cores: 4, ram: 128 });
    const shown = (await stage.ask('GET', `/v2.1/servers/${id}`)).body.server;
    expect(shown).toMatchObject({ status: 'RESIZE', flavor: { id: '1' }, 'OS-DCF:diskConfig': 'AUTO' });
    expect((await resize('2')).status).toBe(409);
  });

  it('refuses what can not be, and changes nothing', async () => {
    const before = await row();
    expect(said(await resize('1'))).toEqual([400, 'When resizing, instances must change flavor!']);
    expect(said(await resize('none'))).toEqual([400, 'Flavor none could not be found.']);
    expect(said(await resize('secret'))).toEqual([400, 'Flavor secret could not be found.']);
    expect(said(await resize('3'))[1]).toContain('Resize to zero disk flavor is not allowed.');
    for (const flavorRef of ['', null, {}, -1, 1.5]) expect((await resize(flavorRef)).status).toBe(400);
    expect((await act({ resize: {} })).status).toBe(400);
    expect((await resize('2', { other: 1 })).status).toBe(400);
    expect((await resize('2', {}, READER)).status).toBe(403);
    expect((await resize('2', {}, OTHER)).status).toBe(404);
    expect(await row()).toEqual(before);
    await set(`flavor = jsonb_set(flavor, '{diskGb}', '5')`);
    expect(said(await resize('2'))).toEqual([
      400,
      'Server disk was unable to be resized because: Unable to resize disk down.',
    ]);
  });

  it('stays within the quota, and asks nothing of what does not grow', async () => {
    const quota = (cores: number, ram: number) =>
      stage.ask('PUT', '/v2.1/os-quota-sets/project-demo', { as: ADMIN, body: { quota_set: { cores, ram } } });
    await quota(3, -1);
    expect(said(await resize('wide'))).toEqual([
      403,
      'Quota exceeded for cores: Requested 3, but already used 1 of 3 cores',
    ]);
    expect(await usage()).toEqual({ instances: 1, cores: 1, ram: 128 });
    await quota(4, -1);
    await set(`flavor = jsonb_set(flavor, '{memoryMb}', '1000')`);
    await stage.scratch.db.exec('update quota_usage set ram = 1000');
    await stage.scratch.db.exec(`update quota set hard_limit = 500 where resource = 'ram'`);
    expect((await resize('wide')).status).toBe(202);
    await quota(-1, -1);
  });

  it('takes servers that are active or stopped, and none that is locked', async () => {
    for (const state of ['error', 'paused', 'suspended', 'rescued', 'resized', 'shelved']) {
      await set(`vm_state = '${state}'`);
      expect(said(await resize('2'))).toEqual([409, `Cannot 'resize' instance ${id} while it is in vm_state ${state}`]);
    }
    await set(`vm_state = 'stopped', locked_by = 'admin'`);
    expect(said(await resize('2'))).toEqual([409, `Instance ${id} is locked`]);
    await set('locked_by = null');
    expect((await resize('2')).status).toBe(202);
    expect(await task()).toMatchObject({ input: { resize: { vmState: 'stopped' } } });
  });
});

describe('the decision about a resize', () => {
  it.each([
    ['confirmResize', 204, 'server.confirm-resize', 'VERIFY_RESIZE'],
    ['revertResize', 202, 'server.revert-resize', 'REVERT_RESIZE'],
  ])('%s', async (action, status, kind, shown) => {
    expect(said(await act({ [action]: null }))).toEqual([
      409,
      `Cannot '${action}' instance ${id} while it is in vm_state active`,
    ]);
    await set(`vm_state = 'resized'`);
    expect(said(await act({ [action]: null }))).toEqual([400, 'Instance has not been resized.']);
    expect((await row()).taskState).toBe(null);
    const both = { from: (await row()).flavor, to: (await row()).flavor, vmState: 'active', at: new Date() };
    await set(`resize = '${JSON.stringify(both)}'`);
    expect((await act({ [action]: null }, READER)).status).toBe(403);
    expect((await act({ [action]: null })).status).toBe(status);
    expect(await task()).toMatchObject({ kind, input: { serverId: id, resize: { vmState: 'active' } } });
    expect((await stage.ask('GET', `/v2.1/servers/${id}`)).body.server.status).toBe(shown);
    const [newest] = (await stage.ask('GET', `/v2.1/servers/${id}/os-instance-actions`)).body.instanceActions;
    expect(newest.action).toBe(action);
  });
});
