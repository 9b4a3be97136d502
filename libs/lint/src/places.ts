/**
 * Dangerous things that have a place. Each list names every product file that does the thing; a new one is a decision,
 * and one that no longer does it has to leave the list, so the lists only shrink unless someone means it.
 */
import type { File, Problem, Workspace } from './workspace.js';

export interface Place {
  readonly rule: string;
  readonly what: string;
  readonly does: (file: File) => boolean;
  readonly files: readonly string[];
}

const imports =
  (...modules: readonly string[]) =>
  (file: File): boolean =>
    file.imports.some((one) => !one.typeOnly && modules.includes(one.specifier ?? ''));
const says =
  (pattern: RegExp) =>
  (file: File): boolean =>
    file.uses.some((use) => pattern.test(use.text));

/** Tests, tools and the deployment are not the product. */
const OUTSIDE = new Set(['deploy', 'tests', 'testing', 'lint']);

export const PLACES: readonly Place[] = [
  {
    rule: 'starts-programs',
    what: 'starts another program',
    does: imports('node:child_process', 'child_process'),
    files: [
      'services/agent/src/exec/run.ts',
      'services/agent/src/metadata/listen.ts',
      'services/image/data/src/image-gate.ts',
    ],
  },
  {
    rule: 'names-qemu-img',
    what: 'names qemu-img, which must always be told the format (class 2)',
    does: says(/^"(\/usr\/bin\/)?qemu-img"$/),
    files: ['services/agent/src/disk/qemu-img.ts'],
  },
  {
    rule: 'trusts-any-certificate',
    what: 'switches the checking of certificates off (class 21)',
    does: says(/^\{rejectUnauthorized: false\}$/),
    files: [],
  },
];

export function placeProblems(workspace: Workspace, places: readonly Place[] = PLACES): Problem[] {
  return places.flatMap((place) => {
    const doing = workspace.files.filter(
      (file) => !file.isTest && !OUTSIDE.has(file.project?.layer ?? 'tests') && place.does(file),
    );
    const known = new Set(place.files);
    const here = new Set(doing.map((file) => file.path));
    const strangers = doing
      .filter((file) => !known.has(file.path))
      .map((file) => ({
        rule: place.rule,
        path: file.path,
        line: 1,
        message: `${place.what}: only ${place.files.join(', ') || 'nobody'} may (libs/lint/src/places.ts)`,
      }));
    const gone = place.files
      .filter((path) => !here.has(path))
      .map((path) => ({
        rule: place.rule,
        path,
        line: 1,
        message: 'does so no longer: take it off the list in libs/lint/src/places.ts',
      }));
    return [...strangers, ...gone];
  });
}
