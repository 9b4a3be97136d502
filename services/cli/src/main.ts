/** `yagura`, the operator's command. Exit codes: 0 fine, 1 the answer is bad news (findings, something down), 2 wrong use or no answer. */
import { Command, CommanderError, Option } from 'commander';
import { openCloud } from './cloud.js';
import { completionScript } from './completion.js';
import { doctor } from './doctor/doctor.js';
import { listNodes } from './node.js';
import { status } from './status.js';
import { why } from './why.js';

interface Format {
  readonly output: 'table' | 'json';
}

type Act = (cloud: ReturnType<typeof openCloud>, format: Format, argument: string) => Promise<number>;

/** Runs an action against the cloud of this machine; sets the exit code, and words every failure for a person. */
function against(act: Act) {
  return async (...parameters: unknown[]): Promise<void> => {
    const command = parameters.at(-1) as Command;
    const argument = typeof parameters[0] === 'string' ? parameters[0] : '';
    const cloud = openCloud();
    try {
      process.exitCode = await act(cloud, command.optsWithGlobals<{ output: 'table' | 'json' }>(), argument);
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
    .description('prints the completion script for bash')
    .action(() => {
      process.stdout.write(completionScript(root));
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
