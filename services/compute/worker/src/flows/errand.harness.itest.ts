/** What is done once with a guest, in every mishap: the server is as it was, and the guest got it where that is recorded. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnyFlow } from '#libs/platform/flow';
import { runTrial, trialsOf } from '#libs/testing';
import { SERVER_CHANGE_PASSWORD, SERVER_CREATE, SERVER_TRIGGER_CRASH_DUMP, serverKey } from '#services/compute/domain';
import { Testbed } from '../testbed/testbed.fixture.js';
import type { FlowDeps } from './deps.js';
import { computeFlows } from './index.js';

let bed: Testbed;
beforeAll(async () => {
  bed = await Testbed.open();
  await bed.node('node-1', 1 << 20);
});
afterAll(() => bed.close());

/** The steps of a flow, before anything is there for it to work with. */
const bedless = (kind: string): AnyFlow => computeFlows({} as FlowDeps).find((flow) => flow.kind === kind)!;

async function runs(): Promise<string> {
  const task = await bed.prepareCreate();
  const found = await runTrial(
    { db: bed.db, flow: bed.flow(SERVER_CREATE), prepare: async () => task, audit: async () => [] },
    { name: 'none', step: 'none', direction: 'do', moment: 'before', mishap: 'error', end: 'done' },
  );
  expect(found).toEqual([]);
  return task.input.serverId;
}

describe.each([
  { kind: SERVER_CHANGE_PASSWORD, move: 'changePassword', errand: 'password' },
  { kind: SERVER_TRIGGER_CRASH_DUMP, move: 'triggerCrashDump', errand: 'interrupt' },
] as const)('$kind', ({ kind, move, errand }) => {
  it.each(trialsOf(bedless(kind)))('$name', async (trial) => {
    const found = await runTrial(
      {
        db: bed.db,
        flow: bed.flow(kind),
        prepare: async () => {
          const serverId = await runs();
          const patch = errand === 'password' ? { secrets: { newPass: 'new' } } : {};
          expect(await bed.servers.move(bed.db, serverId, move, new Date(), patch)).toBeDefined();
          return { id: randomUUID(), kind, key: serverKey(serverId), projectId: 'p1', input: { serverId } };
        },
        audit: async ({ input: { serverId } }, end) => {
          const wrong = await bed.running(serverId);
          const { newPass } = (await bed.servers.secrets(bed.db, serverId))!;
          if (newPass !== null) wrong.push('its new password is kept');
          const done = bed.nodes.get('node-1')!.errands.filter((one) => one.serverId === serverId);
          if (end === 'done' && done.at(-1)?.kind !== errand) wrong.push('nothing was done');
          return wrong;
        },
      },
      trial,
    );
    expect(found).toEqual([]);
  });
});
