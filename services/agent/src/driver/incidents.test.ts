import { expect, it } from 'vitest';
import { incidentOf } from './incidents.js';

it.each([
  [3, 2, /disk could not be written/],
  [3, 3, /watchdog/],
  [8, 0, /crashed/],
  [5, 2, /process died/],
  [5, 5, /process failed/],
])('tells event %d with detail %d', (event, detail, words) => expect(incidentOf({ event, detail })).toMatch(words));

it.each([
  ['started', 2, 0],
  ['paused by somebody', 3, 0],
  ['saved', 5, 4],
  ['shut down from inside', 5, 0],
  ['destroyed', 5, 1],
])('says nothing of what was %s', (_name, event, detail) => expect(incidentOf({ event, detail })).toBeUndefined());
