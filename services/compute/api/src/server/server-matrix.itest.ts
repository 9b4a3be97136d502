/**
 * Every action in every state: where the table of moves does not allow it, it is refused in Nova's words and changes
 * nothing; of two at once one is taken; a body of another version is refused. What Nova allows is written down here once
 * more, so that a change of the moves is a change of this table.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ASKED_MOVES,
  MOVES,
  type MoveName,
  TASK_STATES,
  type TaskState,
  VM_STATES,
  type VmState,
} from '#services/compute/domain';
import { ADMIN, type Answer, type Caller, DEMO, IMAGE, openStage, type Stage } from '../compute.fixture.js';

interface Action {
  readonly move: MoveName;
  /** Nova's name, where the move has another. */
  readonly action?: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly from: readonly VmState[];
  readonly path?: string;
  readonly at?: string;
  readonly as?: Caller;
  /** Obeyed also while the server is locked. */
  readonly unguarded?: boolean;
  /** Refused before its states where the server is on no node. */
  readonly placedFirst?: boolean;
  /** What may be under way all the same. */
  readonly over?: readonly TaskState[];
  /** With parameters that only tests of its own can fill in so that it is taken. */
  readonly onlyRefused?: boolean;
}

const IMAGED: readonly VmState[] = ['active', 'stopped', 'paused', 'suspended'];
const ACTIONS: readonly Action[] = [
  { move: 'start', body: { 'os-start': null }, from: ['stopped'], placedFirst: true },
  { move: 'stop', body: { 'os-stop': null }, from: ['active', 'error'], placedFirst: true },
  { move: 'rebootSoft', action: 'reboot', body: { reboot: { type: 'SOFT' } }, from: ['active'] },
  {
    ...{ move: 'rebootHard', action: 'reboot', body: { reboot: { type: 'HARD' } } },
    from: ['active', 'stopped', 'paused', 'suspended', 'error'],
    over: ['rebooting', 'rebooting_hard', 'pausing', 'unpausing', 'suspending', 'resuming'],
  },
  { move: 'pause', body: { pause: null }, from: ['active'] },
  { move: 'unpause', body: { unpause: null }, from: ['paused'] },
  { move: 'suspend', body: { suspend: null }, from: ['active'] },
  { move: 'resume', body: { resume: null }, from: ['suspended'] },
  { move: 'rebuild', body: { rebuild: { imageRef: IMAGE } }, from: ['active', 'stopped', 'error'] },
  { move: 'rescue', body: { rescue: null }, from: ['active', 'stopped', 'error'] },
  { move: 'unrescue', body: { unrescue: null }, from: ['rescued'] },
  { move: 'resize', body: { resize: { flavorRef: '2' } }, from: ['active', 'stopped'] },
  { move: 'confirmResize', body: { confirmResize: null }, from: ['resized'] },
  { move: 'revertResize', body: { revertResize: null }, from: ['resized'] },
  { move: 'createImage', body: { createImage: { name: 'i' } }, from: IMAGED, unguarded: true },
  {
    ...{ move: 'createBackup', from: IMAGED, unguarded: true },
    body: { createBackup: { name: 'b', backup_type: 'daily', rotation: 1 } },
  },
  { move: 'shelve', body: { shelve: null }, from: IMAGED },
  { move: 'shelveOffload', body: { shelveOffload: null }, from: ['shelved'], as: ADMIN },
  { move: 'unshelve', body: { unshelve: null }, from: ['shelved', 'shelved_offloaded'], onlyRefused: true },
  { move: 'changePassword', body: { changePassword: { adminPass: 'x' } }, from: ['active'] },
  {
    ...{ move: 'triggerCrashDump', action: 'trigger_crash_dump', body: { trigger_crash_dump: null }, at: '2.17' },
    ...{ from: ['active', 'paused', 'rescued', 'resized', 'error'], placedFirst: true },
  },
  {
    ...{ move: 'changeInterfaces', action: 'attach_interface', path: '/os-interface', onlyRefused: true },
    ...{ body: { interfaceAttachment: {} }, from: ['active', 'paused', 'stopped'] },
  },
];
/** Allowed whatever the state, each with tests of its own. */
const ALWAYS: readonly MoveName[] = ['remove', 'resetToActive', 'resetToError'];
const nameOf = ({ move, action = move }: Action): string => action;
const cases = ACTIONS.map((action) => ({ name: action.move, action }));

const PLACES = VM_STATES.filter((state) => state !== 'deleted');

let stage: Stage;
let id = '';
/** Answers that wait for the worker get it at once. */
let worker: NodeJS.Timeout;

beforeAll(async () => {
  stage = await openStage();
  const body = { quota_set: { instances: -1, cores: -1, ram: -1 } };
  await stage.ask('PUT', '/v2.1/os-quota-sets/project-demo', { as: ADMIN, body });
  id = await stage.boot();
  const { db } = stage.scratch;
  const end = `update task set state = 'done' where state = 'running' and kind = 'server.change-password'
    and created_at < clock_timestamp() - interval '200 milliseconds'`;
  worker = setInterval(() => void db.exec(end).catch(() => undefined), 20);
});
afterAll(async () => {
  clearInterval(worker);
  await stage.close();
});

/** As after an operation that ended there. */
async function put(vmState: VmState, taskState: string | null = null, host: string | null = 'node-1'): Promise<void> {
  const { db } = stage.scratch;
  const resize = `jsonb_build_object('from', flavor, 'to', flavor, 'vmState', 'active', 'at', null)`;
  await db.exec(
    `update server set vm_state = $2, task_state = $3, host = $4, locked_by = null, power = 'running', new_pass = null,
       image = jsonb_set(image, '{properties}', '{"hw_qemu_guest_agent": "yes"}'),
       resize = case when $2 = 'resized' then ${resize} end where id = $1`,
    [id, vmState, taskState, host],
  );
  await db.exec(`delete from task where state <> 'done' or kind <> 'server.create'`);
}
const row = () => stage.scratch.db.one('select * from server where id = $1', [id]);
const ask = ({ path = '/action', body, at, as = DEMO }: Action, more: object = {}): Promise<Answer> =>
  stage.ask('POST', `/v2.1/servers/${id}${path}`, { as, body, ...(at ? { at } : {}), ...more });
const messageOf = ({ body }: Answer): string => (Object.values(body ?? {})[0] as { message: string }).message;

/** The action is refused with that message, and nothing is as it was not before. */
async function expectRefused(action: Action, message: string): Promise<void> {
  const before = await row();
  const answer = await ask(action);
  expect([answer.status, messageOf(answer)]).toEqual([409, message]);
  expect(await row()).toEqual(before);
  expect(await stage.scratch.db.query(`select kind from task where state <> 'done'`)).toEqual([]);
}

it('stands here in full', () => {
  expect([...ACTIONS.map(({ move }) => move), ...ALWAYS].sort()).toEqual([...ASKED_MOVES].sort());
});

describe.each(cases)('$name', ({ action }) => {
  const name = nameOf(action);
  const others = PLACES.filter((state) => !action.from.includes(state));

  it('is taken in the states that Nova allows', async () => {
    for (const state of action.from) {
      expect(MOVES[action.move].from).toContain(state);
      if (action.onlyRefused) continue;
      await put(state);
      const answer = await ask(action);
      expect([state, answer.status, answer.body?.conflictingRequest]).toEqual([state, expect.any(Number), undefined]);
      expect(answer.status).toBeLessThan(300);
    }
  });

  it('is refused in all others', async () => {
    for (const state of others) {
      await put(state);
      await expectRefused(action, `Cannot '${name}' instance ${id} while it is in vm_state ${state}`);
    }
  });

  it('is refused while anything is under way, in any state, but for what it overtakes', async () => {
    for (const state of [action.from[0]!, ...others.slice(0, 2)])
      for (const task of TASK_STATES) {
        await put(state, task);
        if (state === action.from[0] && action.over?.includes(task)) {
          expect([task, (await ask(action)).status]).toEqual([task, 202]);
          continue;
        }
        const [what, value] = action.from.includes(state) ? ['task_state', task] : ['vm_state', state];
        await expectRefused(action, `Cannot '${name}' instance ${id} while it is in ${what} ${value}`);
      }
  });

  it('is refused of a server that never came to be', async () => {
    await put('error', null, null);
    const unready = `Instance ${id} is not ready`;
    const never = `Instance ${id} is in an invalid state for '${name}'`;
    const states = `Cannot '${name}' instance ${id} while it is in vm_state error`;
    const { placedFirst = false, from } = action;
    await expectRefused(action, placedFirst ? unready : from.includes('error') ? never : states);
  });

  it('heeds a lock, or does not where it guards nothing', async () => {
    await put(action.from[0]!);
    await stage.scratch.db.exec(`update server set locked_by = 'owner' where id = $1`, [id]);
    if (action.as === ADMIN || action.unguarded) expect((await ask(action)).status).toBeLessThan(300);
    else await expectRefused(action, `Instance ${id} is locked`);
  });

  it('does not take a body with more in it', async () => {
    await put(action.from[0]!);
    const [word] = Object.keys(action.body);
    for (const body of [{ ...action.body, more: 1 }, [action.body], { [word!]: 7, more: 1 }, 7, 'x', null])
      expect([body, (await ask(action, { body: JSON.stringify(body) })).status]).toEqual([body, 400]);
    expect(await row()).toMatchObject({ task_state: null });
  });
});

describe('two actions at once', () => {
  const sent = ACTIONS.filter(({ from, onlyRefused, over }) => from.includes('active') && !onlyRefused && !over);
  it.each(
    sent.flatMap((one, n) => [
      [one.move, one.move, one, one] as const,
      [one.move, sent[(n + 1) % sent.length]!.move, one, sent[(n + 1) % sent.length]!] as const,
    ]),
  )('%s and %s: one is taken', async (_one, _other, one, other) => {
    await put('active');
    const answers = await Promise.all([ask(one), ask(other)]);
    const [taken, refused] = answers.map(({ status }) => status).sort((a, b) => a - b);
    expect(taken).toBeLessThan(300);
    expect(refused).toBe(409);
    expect(await stage.scratch.db.query(`select 1 from task where kind <> 'server.create'`)).toHaveLength(1);
  });
});

describe('a body of another version', () => {
  const rebuild = (more: object) => ({ rebuild: { imageRef: IMAGE, ...more } });
  it.each([
    ['2.16', { trigger_crash_dump: null }],
    ['2.18', rebuild({ description: 'd' })],
    ['2.53', rebuild({ key_name: null })],
    ['2.56', rebuild({ user_data: 'eA==' })],
    ['2.57', rebuild({ personality: [{ path: '/a', contents: 'eA==' }] })],
    ['2.62', rebuild({ trusted_image_certificates: ['c'] })],
    ['2.89', rebuild({ hostname: 'h' })],
    ['2.73', { lock: { reason: 'r' } }],
    ['2.73', { lock: { locked_reason: '' } }],
    ['2.77', { unshelve: { host: 'node-1' } }],
    ['2.90', { unshelve: { availability_zone: null } }],
    ['2.91', { unshelve: { node: 'node-1' } }],
  ])('is refused at %s: %j', async (at, body) => {
    await put('active');
    const answer = await stage.ask('POST', `/v2.1/servers/${id}/action`, { as: ADMIN, at, body });
    expect(answer.status).toBe(400);
    expect(await row()).toMatchObject({ task_state: null, locked_by: null });
  });
});

describe('metadata', () => {
  it('are changed in the states that Nova allows, whatever is under way', async () => {
    const change = (method: string, path: string, body?: object) =>
      stage.ask(method, `/v2.1/servers/${id}/metadata${path}`, body ? { body } : {});
    for (const state of PLACES) {
      const may = ['active', 'paused', 'suspended', 'stopped'].includes(state);
      await put(state, 'rebooting');
      const set = await change('PUT', '/k', { meta: { k: 'v' } });
      const gone = await change('DELETE', '/k');
      expect([state, set.status, gone.status]).toEqual(may ? [state, 200, 204] : [state, 409, 409]);
      if (may) continue;
      expect(messageOf(set)).toBe(`Cannot 'update metadata' instance ${id} while it is in vm_state ${state}`);
      expect(messageOf(gone)).toBe(`Cannot 'delete metadata' instance ${id} while it is in vm_state ${state}`);
    }
  });
});

describe('whatever the state', () => {
  const states = PLACES.flatMap((state) => [null, ...TASK_STATES].map((task) => [state, task] as const));

  it('an administrator sets it right', async () => {
    for (const [state, task] of states)
      for (const wanted of ['active', 'error']) {
        await put(state, task);
        const answer = await ask({ ...RESET, body: { 'os-resetState': { state: wanted } } });
        expect([state, task, answer.status]).toEqual([state, task, 202]);
        expect(await row()).toMatchObject({ vm_state: wanted, task_state: null });
      }
  });

  it('a delete is taken, by force too, unless the server is locked', async () => {
    for (const [state, task] of states) {
      await put(state, task);
      const bodies = [{ forceDelete: null }, { forceDelete: {} }];
      const answer = state === 'active' ? await ask({ ...RESET, body: bodies[0]! }) : await remove();
      expect([state, task, answer.status]).toEqual([state, task, state === 'active' ? 202 : 204]);
      expect(await row()).toMatchObject({ vm_state: state, task_state: 'deleting' });
      expect(await stage.scratch.db.query(`select kind from task where state = 'running'`)).toEqual([
        { kind: 'server.delete' },
      ]);
    }
    await put('active');
    await stage.scratch.db.exec(`update server set locked_by = 'owner' where id = $1`, [id]);
    for (const answer of [await remove(), await ask({ ...RESET, as: DEMO, body: { forceDelete: null } })])
      expect([answer.status, messageOf(answer)]).toEqual([409, `Instance ${id} is locked`]);
  });

  it('none is restored, for none is deleted softly', async () => {
    for (const state of PLACES) {
      await put(state);
      const refused = `Cannot 'restore' instance ${id} while it is in vm_state ${state}`;
      await expectRefused({ ...RESET, body: { restore: null } }, refused);
    }
  });

  const RESET: Action = { move: 'resetToActive', body: {}, from: [], as: ADMIN };
  const remove = () => stage.ask('DELETE', `/v2.1/servers/${id}`);
});
