/** All rules over one workspace. */
import { callProblems } from './calls.js';
import { layerProblems } from './layers.js';
import { packageProblems } from './packages.js';
import { PLACES, type Place, placeProblems } from './places.js';
import { shapeProblems } from './shape.js';
import type { Problem, Workspace } from './workspace.js';

const RULES = [layerProblems, packageProblems, callProblems, shapeProblems];

/** Every problem, in the order of paths. Nothing switches a rule off for one place. */
export function check(workspace: Workspace, places: readonly Place[] = PLACES): Problem[] {
  const found = RULES.flatMap((rule) => rule(workspace));
  const problems = [...workspace.broken, ...found, ...placeProblems(workspace, places)];
  return problems.sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line || a.rule.localeCompare(b.rule));
}

export const sentence = (problem: Problem): string =>
  `${problem.path}:${problem.line}  ${problem.rule}  ${problem.message}`;
