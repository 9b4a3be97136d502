/** `npm run down`: stops everything of this cloud and leaves nothing running; with --purge nothing stored either. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeCgroups } from './cgroups.js';
import { stopContainer, unmount } from './containers.js';
import { type Deployment, type Folders, foldersFromEnvironment, readDeployment } from './deployment.js';
import { removeNetwork } from './host-network.js';
import { DOWN_USAGE, type DownOptions, parseDown, UsageError } from './options.js';
import { startProgress } from './progress.js';
import { endSupervision } from './supervision.js';

async function main(): Promise<void> {
  const progress = startProgress(Date.now(), Date.now, (text) => process.stdout.write(text));
  const folders = foldersFromEnvironment(process.env);
  const options = parseDown(process.argv.slice(2), process.env);
  const d = readDeployment(folders);
  if (d) {
    await progress.step('supervision ended', () => endSupervision(d));
    const names = containersThere(d);
    // Nodes first: their agents may still report, and what guests have written reaches their disks.
    await progress.step('nodes stopped', () =>
      stopAll(
        d,
        names.filter((name) => name.startsWith('node-')),
      ),
    );
    await progress.step('controller and edge stopped', () =>
      stopAll(
        d,
        names.filter((name) => !name.startsWith('node-')),
      ),
    );
    await progress.step('network removed', () => removeNetwork(d));
    await progress.step('mounts and control groups removed', () => clear(d));
  }
  if (options.purge) await progress.step('state removed', () => purge(folders, options));
  progress.say(d ? 'Yagura is down.' : `there is no cloud in ${folders.state}`);
}

function containersThere(d: Deployment): string[] {
  const folder = join(d.state, 'containers');
  return existsSync(folder) ? readdirSync(folder) : [];
}

const stopAll = async (d: Deployment, names: readonly string[]): Promise<void> => {
  await Promise.all(names.map((name) => stopContainer(d, name, 15_000)));
};

async function clear(d: Deployment): Promise<void> {
  await unmount(join(d.state, 'run', 'client'));
  await removeCgroups(d);
  rmSync(join(d.state, 'run'), { recursive: true, force: true });
  rmSync(join(d.state, 'containers'), { recursive: true, force: true });
}

/** What a cloud makes in its state folder. Whatever else lies there is not ours to remove. */
const OURS = [
  'clouds.yaml',
  'config',
  'containers',
  'data',
  'deployment.json',
  'etc',
  'guest',
  'log',
  'run',
  'secrets',
  'tls',
  '.up.lock',
];

async function purge({ state, roots }: Folders, { roots: rootsToo, keepResults }: DownOptions): Promise<void> {
  for (const name of [...OURS, ...(keepResults ? [] : ['results'])])
    rmSync(join(state, name), { recursive: true, force: true });
  if (rootsToo) rmSync(roots, { recursive: true, force: true });
  if (existsSync(state) && readdirSync(state).length === 0) rmSync(state, { recursive: true });
}

main().catch((error: unknown) => {
  console.error(error instanceof UsageError ? `${error.message}\n\n${DOWN_USAGE}` : `\n${(error as Error).message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
