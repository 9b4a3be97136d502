/** The stages, cheapest first. A vital one that fails ends the run: what follows needs it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';
import { brokenStage, passedOne, type Tally } from './tally.js';
import { tempestStage } from './tempest.js';
import { vitestStage } from './vitest.js';

export interface Place {
  readonly state: string;
  readonly folder: string;
}

export interface Stage {
  readonly name: string;
  readonly what: string;
  readonly vital?: boolean;
  run(place: Place): Promise<Tally>;
}

const MINUTE = 60_000;

/** A command that passes as one test by its exit code. */
const command =
  (name: string, program: string, parameters: readonly string[], timeoutMs: number) =>
  async (place: Place): Promise<Tally> => {
    const ran = await run(program, parameters, {
      env: { YAGURA_STATE: place.state },
      timeoutMs,
      log: join(place.folder, `${name}.log`),
    });
    return ran.code === 0 ? passedOne : brokenStage(name, `${program} ${parameters.join(' ')} exited ${ran.code}`);
  };

/** The connection strings of the cloud's own stores, from the file that `up` writes for tests. */
function stores(state: string): Record<string, string> {
  const { postgres, amqp } = JSON.parse(readFileSync(join(state, 'etc', 'test-stores.json'), 'utf8')) as {
    postgres: string;
    amqp: string;
  };
  return { YAGURA_TEST_PG: postgres, YAGURA_TEST_AMQP: amqp };
}

const environment = (state: string): Record<string, string> => ({
  YAGURA_STATE: state,
  OS_CLIENT_CONFIG_FILE: join(state, 'clouds.yaml'),
});

/** Two rounds of kills of every process: below five minutes even where the machine is fifteen times overloaded. */
const chaosOf = (full: boolean): Record<string, string> => ({
  YAGURA_CHAOS_SERVERS: full ? '200' : '120',
  YAGURA_CHAOS_ACTED: full ? '0.5' : '0.2',
});

export function stagesOf(mode: 'gate' | 'full'): readonly Stage[] {
  const full = mode === 'full';
  return [
    {
      name: 'check',
      what: 'format, types, lint, boundaries',
      run: command('check', 'deploy/check.sh', ['--no-tests'], 5 * MINUTE),
    },
    { name: 'unit', what: 'everything pure', run: ({ folder }) => vitestStage('unit', folder, {}, 5 * MINUTE) },
    {
      name: 'up',
      what: 'a cloud with three nodes, the least that lets a gateway move, and simulated ones',
      vital: true,
      run: command('up', 'deploy/up.sh', ['--nodes', '3', '--simulated', '10', '--test-stores'], 15 * MINUTE),
    },
    {
      name: 'integration',
      what: 'repositories, flows and claims against PostgreSQL and RabbitMQ',
      run: ({ state, folder }) =>
        vitestStage('integration', folder, { ...stores(state), ...environment(state) }, 15 * MINUTE),
    },
    {
      name: 'e2e',
      what: 'the stock client and real guests',
      run: ({ state, folder }) =>
        vitestStage(
          'e2e',
          folder,
          { ...environment(state), ...(full ? {} : { YAGURA_QUICK: '1' }) },
          (full ? 45 : 25) * MINUTE,
        ),
    },
    {
      name: 'security',
      what: 'advisory classes',
      run: ({ state, folder }) => vitestStage('security', folder, environment(state), 5 * MINUTE),
    },
    {
      name: 'tempest',
      what: 'a selection of the official suite',
      run: ({ state, folder }) =>
        tempestStage({
          state,
          folder: join(folder, 'tempest'),
          includeList: full ? 'tests/conformance/full.txt' : 'tests/conformance/gate.txt',
          // Half of their time the tests of networks only wait: they sleep before each subnet that they delete.
          workers: full ? 4 : 6,
          logIn: full,
          timeoutMs: (full ? 60 : 15) * MINUTE,
        }),
    },
    {
      name: 'chaos',
      what: 'servers made, acted upon and deleted under kills of everything',
      run: ({ state, folder }) =>
        vitestStage('chaos', folder, { ...environment(state), ...chaosOf(full) }, (full ? 30 : 12) * MINUTE),
    },
  ];
}
