/** `yagura`, the operator's command. Exit codes: 0 fine, 1 the answer is bad news (findings, something down), 2 wrong use or no answer. */
import { Argument, Command, CommanderError, Option } from 'commander';
import { openCloud } from './cloud.js';
import { completionScript } from './completion.js';
import { doctor } from './doctor/doctor.js';
import { listNodes } from './node.js';
import { status } from './status.js';
import { abandonTask, listTasks, resumeTask } from './task.js';
import { why } from './why.js';

interface Options {
  readonly output: 'table' | 'json';
  readonly reason: string;
}

type Act = (cloud: ReturnType<typeof openCloud>, options: Options, argument: string) => Promise<number>;

/** Runs an action against the cloud of this machine; sets the exit code, and words every failure for a person. */
function against(act: Act) {
  return async (...parameters: unknown[]): Promise<void> => {
    const command = parameters.at(-1) as Command;
    const argument = typeof parameters[0] === 'string' ? parameters[0] : '';
    const cloud = openCloud();
    try {
      process.exitCode = await act(cloud, command.optsWithGlobals<Options>(), argument);
    } finally {
      cloud.close();
    }
  };
}

const format = () => new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table');

export function program(): Command {
  const root = new Command('yagura')
    .description('Operates a Yagura cloud: shows, explains, audits.')
    .exitOverride()
    .showSuggestionAfterError();
  root
    .command('status')
    .description('every process, node and queue, and its health')
    .addOption(format())
    .action(against(status));
  const node = root.command('node').description('the compute nodes');
  node
    .command('list')
    .description('nodes, their state and what they hold')
    .addOption(format())
    .action(against(listNodes));
  const task = root.command('task').description('operations on servers that are not over');
  task
    .command('list')
    .description('those that got stuck first, with what keeps each from going on')
    .addOption(format())
    .action(against(listTasks));
  task
    .command('resume')
    .argument('<id>', 'id of a stuck task')
    .description('tries a stuck task again at once')
    .addOption(format())
    .action(against(resumeTask));
  task
    .command('abandon')
    .argument('<id>', 'id of a stuck task')
    .requiredOption('--reason <text>', 'kept with the task, and told by `why`')
    .description('ends a stuck task as it is')
    .addOption(format())
    .action(against(abandonTask));
  root
    .command('why')
    .argument('<id>', 'id of a server, or of a request (req-...)')
    .description('the timeline of a server or a request over all services and nodes')
    .addOption(format())
    .action(against(why));
  root
    .command('doctor')
    .description('what does not match between the books and the nodes, and nothing else')
    .addOption(format())
    .action(against(doctor));
  root
    .command('completion')
    .addArgument(new Argument('[shell]', 'of which shell').choices(['bash', 'zsh']).default('bash'))
    .description('prints the completion script: source <(yagura completion bash)')
    .action((shell: 'bash' | 'zsh') => {
      process.stdout.write(completionScript(root, shell));
    });
  return root;
}

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    console.error(`yagura: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 2;
  }
}
