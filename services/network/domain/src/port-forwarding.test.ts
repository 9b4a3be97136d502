import { describe, expect, it } from 'vitest';
import { NbMemory } from './ovn/nb-memory.fixture.js';
import { NbPlan } from './ovn/plan.js';
import { planForwarding, planForwardingGone } from './ovn/port-forwarding.js';
import {
  checkPorts,
  forwardedAddress,
  MOST_FORWARDED,
  type PortForwarding,
  pairsOf,
  readPorts,
} from './port-forwarding.js';

const range = (first: number, last = first) => ({ first, last });
const refused = (work: () => unknown): boolean => {
  try {
    work();
  } catch (error) {
    expect((error as { type?: string }).type).toBe('BadRequest');
    return true;
  }
  return false;
};

describe('forwarded ports', () => {
  it('are one or a range', () => {
    expect(readPorts('external', 80, undefined)).toEqual(range(80));
    expect(readPorts('external', null, '80:90')).toEqual(range(80, 90));
    expect(readPorts('external', undefined, '80')).toEqual(range(80));
    expect(readPorts('external', undefined, null)).toBeUndefined();
  });

  it.each([
    [80, '80:90'],
    [0, undefined],
    [65_536, undefined],
    [undefined, '90:80'],
    [undefined, '1:99999'],
  ])('are refused: %s %s', (port, text) => {
    expect(refused(() => readPorts('internal', port, text))).toBe(true);
  });

  it('lead one to one, or many to one', () => {
    expect(refused(() => checkPorts(range(22), range(2222)))).toBe(false);
    expect(refused(() => checkPorts(range(22), range(2222, 2232)))).toBe(false);
    expect(refused(() => checkPorts(range(22, 32), range(2222, 2232)))).toBe(false);
    expect(refused(() => checkPorts(range(22, 23), range(2222)))).toBe(true);
    expect(refused(() => checkPorts(range(22, 23), range(2222, 2232)))).toBe(true);
    expect(refused(() => checkPorts(range(22), range(1, MOST_FORWARDED + 1)))).toBe(true);
    expect(pairsOf({ internal: range(10, 12), external: range(20, 22) })).toEqual([
      [20, 10],
      [21, 11],
      [22, 12],
    ]);
    expect(pairsOf({ internal: range(10), external: range(20, 21) })).toEqual([
      [20, 10],
      [21, 10],
    ]);
  });

  it('lead to an IPv4 address of the port', () => {
    expect(forwardedAddress('p', ['fd00::5', '10.0.0.5', '10.0.0.6'], undefined)).toBe('10.0.0.5');
    expect(forwardedAddress('p', ['10.0.0.5', '10.0.0.6'], '10.0.0.6')).toBe('10.0.0.6');
    expect(refused(() => forwardedAddress('p', ['fd00::5'], undefined))).toBe(true);
    expect(refused(() => forwardedAddress('p', ['10.0.0.5', 'fd00::5'], 'fd00::5'))).toBe(true);
  });
});

describe('a forwarding in OVN', () => {
  const [one, other] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
  const forwarding: PortForwarding = {
    id: '33333333-3333-4333-8333-333333333333',
    floatingIpId: 'f',
    portId: 'p',
    protocol: 'tcp',
    internalAddress: '10.0.0.5',
    internal: range(22),
    external: range(2222, 2223),
    description: '',
    revision: 1,
    createdAt: new Date(0),
    updatedAt: new Date(0),
  };
  const router = {
    kind: 'insert' as const,
    table: 'Logical_Router' as const,
    values: { name: '', enabled: true, options: new Map(), external_ids: new Map() },
  };

  it('is a load balancer of its router, moves with it, and goes', () => {
    const nb = new NbMemory();
    nb.apply([one, other].map((uuid) => ({ ...router, uuid })));
    const planned = (routerId: string) => {
      const plan = new NbPlan(nb);
      planForwarding(plan, { forwarding, address: '203.0.113.9' }, routerId);
      return plan.operations();
    };
    nb.apply(planned(one));
    expect(planned(one)).toEqual([]);
    expect(nb.row('Load_Balancer', forwarding.id)).toMatchObject({
      protocol: 'tcp',
      vips: new Map([
        ['203.0.113.9:2222', '10.0.0.5:22'],
        ['203.0.113.9:2223', '10.0.0.5:22'],
      ]),
    });
    nb.apply(planned(other));
    expect(nb.members('Logical_Router', one, 'load_balancer').size).toBe(0);
    expect([...nb.members('Logical_Router', other, 'load_balancer')]).toEqual([forwarding.id]);
    const end = new NbPlan(nb);
    planForwardingGone(end, forwarding.id);
    expect(end.operations()).toEqual([{ kind: 'delete', table: 'Load_Balancer', uuid: forwarding.id }]);
  });
});
