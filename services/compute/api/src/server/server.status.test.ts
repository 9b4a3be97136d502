import { expect, it } from 'vitest';
import { TASK_STATES, type TaskState, VM_STATES } from '#services/compute/domain';
import { isStatus, statesOf, statusOf } from './server.status.js';

const pairs = VM_STATES.flatMap((vmState) =>
  [null, ...TASK_STATES].map((taskState) => ({ vmState, taskState: taskState as TaskState | null })),
);

it('finds by a status exactly the servers that show it', () => {
  const words = [...new Set(pairs.map(statusOf))];
  for (const word of words) {
    const states = statesOf([word]);
    for (const pair of pairs) {
      const found = states.some(
        ({ vmStates, tasks }) => vmStates.includes(pair.vmState) && (!tasks || tasks.includes(pair.taskState)),
      );
      expect(found, `${word} ${pair.vmState}/${pair.taskState}`).toBe(statusOf(pair) === word);
    }
  }
});

it('tells statuses from other words', () => {
  for (const word of ['ACTIVE', 'BUILD', 'ERROR', 'SHUTOFF', 'REBOOT', 'HARD_REBOOT', 'DELETED', 'PAUSED'])
    expect(isStatus(word)).toBe(true);
  for (const word of ['active', 'NONE', '', 'RUNNING']) expect(isStatus(word)).toBe(false);
});
