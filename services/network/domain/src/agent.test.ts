import { describe, expect, it } from 'vitest';
import { type AgentRecord, agentsNow, isAlive, zoneStates } from './agent.js';
import { type Chassis, checkedZones } from './chassis.js';

const NOW = new Date('2026-01-01T12:00:00Z');
const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000);

const chassis = (name: string, more: Partial<Chassis> = {}): Chassis => ({
  id: name,
  name,
  hostname: name,
  physicalNetworks: [],
  bridgeMappings: '',
  isGateway: true,
  zones: [],
  heardAt: NOW,
  caughtUp: true,
  ...more,
});
const record = (name: string, more: Partial<AgentRecord> = {}): AgentRecord => ({
  id: `id of ${name}`,
  chassis: name,
  host: name,
  isGateway: true,
  zones: [],
  bridgeMappings: '',
  description: '',
  adminStateUp: true,
  createdAt: ago(900),
  startedAt: ago(600),
  leftAt: null,
  ...more,
});

describe('a node', () => {
  it('is alive while it is up to date, or lags behind for a short time', () => {
    expect(isAlive({ caughtUp: true, heardAt: ago(3600) }, NOW)).toBe(true);
    expect(isAlive({ caughtUp: false, heardAt: ago(74) }, NOW)).toBe(true);
    expect(isAlive({ caughtUp: false, heardAt: ago(75) }, NOW)).toBe(false);
    expect(isAlive({ caughtUp: false, heardAt: null }, NOW)).toBe(false);
  });

  it('that OVN does not know any more is dead, and was last heard of when it left', () => {
    const [here, gone] = agentsNow([record('a'), record('b', { leftAt: ago(5) })], [chassis('a')], NOW);
    expect(here).toMatchObject({ alive: true, heardAt: NOW });
    expect(gone).toMatchObject({ alive: false, heardAt: ago(5) });
  });
});

describe('zones', () => {
  it('are available while one of their nodes is in use', () => {
    const all = [chassis('a', { zones: ['east'] }), chassis('b', { zones: ['west'] })];
    const records = [record('a', { zones: ['east'] }), record('b', { zones: ['west'], adminStateUp: false })];
    expect(zoneStates(records, all)).toEqual([
      { name: 'east', available: true },
      { name: 'west', available: false },
    ]);
    expect(zoneStates([record('a')], [chassis('a')])).toEqual([{ name: 'nova', available: true }]);
    expect(zoneStates([record('a', { leftAt: NOW })], [])).toEqual([{ name: 'nova', available: false }]);
  });

  it('can be asked for where they are known', () => {
    const all = [chassis('a', { zones: ['east', 'west'] })];
    expect(checkedZones(['west', 'west', 'east'], all)).toEqual(['west', 'east']);
    expect(checkedZones([], all)).toEqual([]);
    expect(checkedZones(['nova'], [chassis('a')])).toEqual(['nova']);
    expect(() => checkedZones(['nova'], all)).toThrow('AvailabilityZone nova could not be found.');
  });
});
