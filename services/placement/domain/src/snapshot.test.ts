import fc from 'fast-check';
import { expect, it } from 'vitest';
import { provider } from '../fixtures/providers.js';
import { Snapshot } from './snapshot.js';

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const change = fc.record({
  from: fc.nat(),
  changed: fc.array(ids, { maxLength: 3 }),
  gone: fc.array(ids, { maxLength: 2 }),
});

it('every snapshot of a branching line keeps exactly its own providers', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const line: { snapshot: Snapshot; model: Map<string, number> }[] = [
        { snapshot: Snapshot.of([]), model: new Map() },
      ];
      changes.forEach(({ from, changed, gone }, generation) => {
        const base = line[from % line.length]!;
        const unique = [...new Set(changed)];
        const model = new Map(base.model);
        for (const id of gone) model.delete(id);
        for (const id of unique) model.set(id, generation);
        line.push({
          snapshot: base.snapshot.with(
            unique.map((id) => provider(id, { generation })),
            gone,
          ),
          model,
        });
      });
      for (const { snapshot, model } of line) {
        expect(new Map(snapshot.all().map((p) => [p.id, p.facts.generation]))).toEqual(model);
        for (const id of ['a', 'b', 'c', 'd', 'e', 'f'])
          expect(snapshot.find(id)?.facts.generation).toBe(model.get(id));
      }
    }),
    { numRuns: 500 },
  );
});
