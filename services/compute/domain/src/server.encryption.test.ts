import { expect, it } from 'vitest';
import { encryptionTrouble, reencryptionTrouble, wantsEncryption } from './server.encryption.js';

const SPEC = 'hw:ephemeral_encryption';
const PROPERTY = 'hw_ephemeral_encryption';
const flavor = (extraSpecs: Record<string, string>) => ({ name: 'f', extraSpecs });
const image = (properties: Record<string, string>) => ({ name: 'i', properties });

it.each([
  [{}, {}, false, ''],
  [{ [SPEC]: 'true' }, {}, true, ''],
  [{}, { [PROPERTY]: 'Yes' }, true, ''],
  [{ [SPEC]: 'true' }, { [PROPERTY]: '1' }, true, ''],
  [{ [SPEC]: 'false' }, { [PROPERTY]: 'true' }, true, 'explicitly set to false'],
  [{ [SPEC]: 'true', [`${SPEC}_format`]: 'luks' }, { [`${PROPERTY}_format`]: 'luks' }, true, ''],
  [{ [SPEC]: 'true', [`${SPEC}_format`]: 'luks' }, { [`${PROPERTY}_format`]: 'plain' }, true, 'explicitly set to luks'],
  [{ [SPEC]: 'true' }, { [`${PROPERTY}_format`]: 'plain' }, true, 'only as luks'],
  [{ [`${SPEC}_format`]: 'plain' }, {}, false, ''],
])('of flavor %j and image %j', (specs, properties, wanted, message) => {
  expect(wantsEncryption(flavor(specs), image(properties))).toBe(wanted);
  expect(encryptionTrouble(flavor(specs), image(properties))?.message ?? '').toContain(message);
  if (message === '') expect(encryptionTrouble(flavor(specs), image(properties))).toBeUndefined();
});

it('does not come or go by a resize', () => {
  const full = (extraSpecs: Record<string, string>) => ({
    ...{ id: 'f', name: 'f', vcpus: 1, memoryMb: 1, diskGb: 1, ephemeralGb: 0, swapMb: 0, rxtxFactor: 1 },
    extraSpecs,
  });
  expect(reencryptionTrouble(full({ [SPEC]: 'true' }), full({}), null)?.kind).toBe('invalid');
  expect(reencryptionTrouble(full({ [SPEC]: 'true' }), full({}), image({ [PROPERTY]: 'true' }))).toBeUndefined();
});
