import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN, DEMO, openStage, type Stage } from '../compute.fixture.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

it('each node that was tried stands in the action, with what went wrong there for administrators', async () => {
  const id = await stage.boot();
  const { db } = stage.scratch;
  const steps = [
    ['claim', { node: 'node-9', providerId: 'x' }],
    ['boot', { booted: false, node: 'node-9', why: 'no space left on device' }],
    ['boot-2', { booted: true }],
  ] as const;
  for (const [step, output] of steps)
    await db.exec(
      `insert into task_step (task_id, step, direction, started_at, done_at, outcome, fence, output)
         select id, $2, 'do', now(), now(), 'done', 1, $3 from task where key = $1`,
      [`server/${id}`, step, JSON.stringify(output)],
    );
  const path = `/v2.1/servers/${id}/os-instance-actions`;
  const { body } = await stage.ask('GET', path, { at: '2.84' });
  const show = async (as = ADMIN) =>
    (await stage.ask('GET', `${path}/${body.instanceActions[0].request_id}`, { as, at: '2.84' })).body.instanceAction
      .events;
  const admins = (await show()).map((event: Record<string, unknown>) => [
    ...[event['event'], event['result'], event['host'], event['details']],
  ]);
  expect(admins.sort()).toEqual([
    ['server.create: boot', 'Error', 'node-9', 'no space left on device'],
    ['server.create: boot-2', 'Success', 'node-1', null],
    ['server.create: claim', 'Success', 'node-9', null],
  ]);
  const own = (await show(DEMO)).find((event: Record<string, unknown>) => event['event'] === 'server.create: boot');
  expect(own.result).toBe('Error');
  for (const hidden of ['host', 'details', 'traceback']) expect(own).not.toHaveProperty(hidden);
});
