import type { Flow, FlowDefinition, Step } from './types.js';

const NAME = /^[a-z][a-z0-9-]*$/;
const KIND = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;

/** Checks a flow once, when the module loads, so that a malformed one never meets a task. */
export function defineFlow<I>(definition: FlowDefinition<I>): Flow<I> {
  const { kind, steps } = definition;
  const version = definition.version ?? 1;
  const wrong = (what: string): Error => new Error(`flow ${kind}@${version}: ${what}`);
  if (!KIND.test(kind)) throw wrong('a kind looks like server.create');
  if (!steps.length) throw wrong('no steps');
  const names = new Set<string>();
  for (const step of steps) {
    if (!NAME.test(step.name)) throw wrong(`step ${step.name}: a name looks like plug-ports`);
    if (names.has(step.name)) throw wrong(`step ${step.name} appears twice`);
    names.add(step.name);
    checkBodies(step, wrong);
  }
  return {
    kind,
    version,
    steps,
    cancellable: definition.cancellable ?? true,
    exhausted: definition.exhausted ?? 'stuck',
    maxAttempts: definition.maxAttempts ?? 20,
  };
}

type Loose<I> = Pick<Step<I>, 'name' | 'tx' | 'ensure' | 'undoTx' | 'undoEnsure'>;

/** The types say so already; a step built from parts may have lost its type on the way. */
function checkBodies<I>(step: Loose<I>, wrong: (what: string) => Error): void {
  const { tx, ensure, undoTx, undoEnsure } = step;
  if (tx && ensure) throw wrong(`step ${step.name} has tx and ensure`);
  if (!tx && !ensure && !undoTx && !undoEnsure) throw wrong(`step ${step.name} does nothing`);
  if (undoTx && undoEnsure) throw wrong(`step ${step.name} has two undos`);
}
