import { expect, it } from 'vitest';
import { networkApiOps } from '../index.js';
import { TAGGABLE } from './taggable.js';

/** What clients change and what has no tags, as upstream has it. */
const WITHOUT_TAGS = ['quotas', 'agents', 'rbac-policies', 'security-groups-default-statefulness', 'flavors'];
const RULES_OF_QOS = /^alias-.*-rules$/;

it('is whatever clients can change', () => {
  const changed = networkApiOps
    .filter(({ method }) => method === 'PUT')
    .map(({ path }) => /^\/v2\.0\/(?:qos\/)?([a-z-]+)\/:id$/.exec(path)?.[1])
    .filter((collection) => collection !== undefined && !RULES_OF_QOS.test(collection));
  const tagged = new Set([...TAGGABLE.map(({ collection }) => collection), ...WITHOUT_TAGS]);
  expect(changed.length).toBeGreaterThan(10);
  expect(changed.filter((collection) => !tagged.has(collection ?? ''))).toEqual([]);
});
