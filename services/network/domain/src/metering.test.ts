import { describe, expect, it } from 'vitest';
import { readMetered } from './metering.js';

const NONE = { remotePrefix: null, sourcePrefix: null, destinationPrefix: null };

describe('the traffic of a metering rule', () => {
  it('is named by one side or by both ends', () => {
    expect(readMetered({ ...NONE, remotePrefix: '10.0.0.7/24' })).toEqual({ ...NONE, remotePrefix: '10.0.0.0/24' });
    expect(readMetered({ ...NONE, sourcePrefix: 'FD00::1', destinationPrefix: 'fd01::/64' })).toEqual({
      ...NONE,
      sourcePrefix: 'fd00::1/128',
      destinationPrefix: 'fd01::/64',
    });
    expect(readMetered({ ...NONE, remotePrefix: '', destinationPrefix: '0.0.0.0/0' })).toEqual({
      ...NONE,
      destinationPrefix: '0.0.0.0/0',
    });
  });

  it('is refused where it is not named, named twice, or nonsense', () => {
    expect(() => readMetered(NONE)).toThrow(/is needed/);
    expect(() => readMetered({ ...NONE, remotePrefix: '10.0.0.0/24', sourcePrefix: '10.0.0.0/24' })).toThrow(/neither/);
    expect(() => readMetered({ ...NONE, remotePrefix: '10.0.0.0/33' })).toThrow(/not a valid IP subnet/);
    expect(() => readMetered({ ...NONE, sourcePrefix: '10.0.0.0/8', destinationPrefix: 'fd00::/8' })).toThrow(
      /different IP versions/,
    );
  });
});
