// Tells Nx which project imports which, from our `#libs/...` and `#services/...` names, so that `npx nx graph` and
// `nx affected` know the tree. What may import what is not judged here but by libs/lint/src.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const IMPORT = /(?:from|import)\s*\(?\s*['"]#((?:libs|services)\/[\w/-]+)['"]/g;

export const name = 'yagura-imports';

export function createDependencies(_options, context) {
  const byRoot = new Map(Object.entries(context.projects).map(([project, { root }]) => [root, project]));
  return Object.entries(context.filesToProcess.projectFileMap).flatMap(([source, files]) =>
    files
      .filter(({ file }) => file.endsWith('.ts'))
      .flatMap(({ file }) =>
        [...readFileSync(join(context.workspaceRoot, file), 'utf8').matchAll(IMPORT)]
          .map(([, root]) => byRoot.get(root))
          .filter((target) => target && target !== source)
          .map((target) => ({ source, target, sourceFile: file, type: 'static' })),
      ),
  );
}
