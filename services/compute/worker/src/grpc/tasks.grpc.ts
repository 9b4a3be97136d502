/** The operator's view of operations that are not over, and his word about those that got stuck. */
import type { computeTasksV1 } from '#libs/contract';
import { fail } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { abandonTask, resumeTask, type TaskHistory, taskHistory } from '#libs/platform/flow';
import type { Implementation } from '#libs/platform/grpc';

/** So many of each state are shown. */
const SHOWN = 500;
const STATES = ['stuck', 'running', 'queued'] as const;

export function tasksService(db: Db): Implementation<computeTasksV1.TasksService> {
  return {
    list: async () => {
      const lists = await Promise.all(STATES.map((state) => taskHistory(db, { state }, SHOWN)));
      return { tasks: lists.flat().map(shown) };
    },
    resume: async ({ id }) => {
      await decide(db, id, (tx) => resumeTask(tx, id));
      return {};
    },
    abandon: async ({ id, reason }) => {
      if (reason.trim() === '') throw fail.invalid('a reason is needed to abandon a task');
      await decide(db, id, (tx) => abandonTask(tx, id, reason));
      return {};
    },
  };
}

async function decide(db: Db, id: string, decision: (tx: Tx) => Promise<boolean>): Promise<void> {
  const [task] = await taskHistory(db, { id });
  if (!task) throw fail.notFound(`there is no task ${id}`);
  const stands = await db.tx(decision);
  if (!stands) throw fail.conflict(`task ${id} is ${task.state}: only a stuck one needs a decision`);
}

const shown = (task: TaskHistory): computeTasksV1.Task => ({
  id: task.id,
  kind: task.kind,
  resource: task.key,
  state: task.state,
  direction: task.direction,
  step: task.step ?? '',
  attempt: task.attempt,
  trouble: [task.trouble, task.troubleCause].filter(Boolean).join(': '),
  createdMs: task.createdAt.getTime(),
  nextTryMs: task.nextTry.getTime(),
});
