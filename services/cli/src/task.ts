/** `yagura task`: operations that are not over, and the operator's word about those that got stuck. */
import type { computeTasksV1 } from '#libs/contract';
import type { Cloud } from './cloud.js';
import { duration, print, table } from './table.js';

type Task = computeTasksV1.Task;
type Output = 'table' | 'json';

const KIND_TITLES = ['TASK', 'KIND', 'RESOURCE', 'STATE', 'STEP', 'FAILED', 'BEGUN', 'NEXT TRY', 'TROUBLE'];

const line = (task: Task, now: number): string[] => [
  task.id,
  task.kind,
  task.resource,
  task.state,
  task.direction === 'undo' ? `undo ${task.step}`.trim() : task.step,
  task.attempt ? `${task.attempt} times` : '',
  `${duration(now - task.createdMs)} ago`,
  task.nextTryMs > now ? `in ${duration(task.nextTryMs - now)}` : '',
  task.trouble,
];

/** Exit code 1 where something waits for a decision. */
export async function listTasks(cloud: Cloud, { output }: { output: Output }): Promise<number> {
  const { tasks } = await cloud.tasks().list({}, { deadlineMs: 20_000 });
  const now = Date.now();
  const text = tasks.length
    ? table(
        KIND_TITLES,
        tasks.map((task) => line(task, now)),
      )
    : 'No operation is going on.\n';
  print(output, { tasks }, text);
  return tasks.some(({ state }) => state === 'stuck') ? 1 : 0;
}

export async function resumeTask(cloud: Cloud, { output }: { output: Output }, id: string): Promise<number> {
  await cloud.tasks().resume({ id });
  print(output, { id, state: 'running' }, `Task ${id} is tried again. What becomes of it: yagura why ${id}\n`);
  return 0;
}

export async function abandonTask(
  cloud: Cloud,
  { output, reason }: { output: Output; reason: string },
  id: string,
): Promise<number> {
  await cloud.tasks().abandon({ id, reason });
  print(output, { id, state: 'abandoned' }, `Task ${id} is abandoned. What it left behind: yagura doctor\n`);
  return 0;
}
