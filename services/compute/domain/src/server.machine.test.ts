import { describe, expect, it } from 'vitest';
import { TASK_STATES, type TaskState, VM_STATES } from './server.js';
import { allows, MOVES, type Move, type MoveName } from './server.machine.js';

const names = Object.keys(MOVES) as MoveName[];
const tasks: (TaskState | null)[] = [null, ...TASK_STATES];

describe('the moves of a server', () => {
  it('know only states that exist', () => {
    for (const name of names) {
      const move: Move = MOVES[name];
      for (const state of [...move.from, ...(move.to ? [move.to] : [])]) expect(VM_STATES).toContain(state);
      for (const task of [...move.task, move.toTask]) expect(tasks).toContain(task);
    }
  });

  it('can always end every task state', () => {
    for (const task of TASK_STATES.filter((name) => name !== 'deleting')) {
      const ends = names.filter((name) => MOVES[name].toTask === null && MOVES[name].task.includes(task as never));
      expect(ends.length, task).toBeGreaterThan(0);
    }
  });

  it('let a delete begin from anywhere but a delete', () => {
    for (const vmState of VM_STATES.filter((state) => state !== 'deleted'))
      for (const taskState of tasks) expect(allows('remove', { vmState, taskState })).toBe(taskState !== 'deleting');
  });

  it('leave nothing but an administrator and the end to a server that is being deleted', () => {
    const possible = names.filter((name) => MOVES[name].task.includes('deleting' as never));
    expect(possible).toEqual(['resetToActive', 'resetToError']);
  });

  it('do not start what runs or stop what is stopped', () => {
    expect(allows('start', { vmState: 'active', taskState: null })).toBe(false);
    expect(allows('start', { vmState: 'stopped', taskState: 'powering-off' })).toBe(false);
    expect(allows('stop', { vmState: 'stopped', taskState: null })).toBe(false);
    expect(allows('rebootSoft', { vmState: 'stopped', taskState: null })).toBe(false);
  });
});
