import { describe, expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import { namespaceOf } from './namespace.js';
import { linkLocal, metadataNetworks, whoIs } from './networks.js';

const NET = '9c0d1e2f-0000-4000-8000-000000000001';
const OTHER = '9c0d1e2f-0000-4000-8000-000000000002';

const server = (
  serverId: string,
  networkId: string,
  address: string,
  cidr: string,
  metadataPortId = `md-${networkId}`,
) =>
  computeV1.ServerSpec.fromPartial({
    serverId,
    nics: [
      {
        portId: `port-${serverId}`,
        networkId,
        mac: `fa:16:3e:00:00:0${serverId}`,
        metadataPortId,
        metadataMac: 'fa:16:3e:00:00:99',
        mtu: 1442,
        fixedIps: [
          { address, version: 4, cidr },
          { address: 'fd00::5', version: 6, cidr: 'fd00::/64' },
        ],
      },
    ],
  });

describe('who asks', () => {
  const specs = [server('a', NET, '10.0.0.5', '10.0.0.0/24'), server('b', OTHER, '10.0.0.5', '10.0.0.0/24')];

  it('is known by network and address together', () => {
    expect(whoIs(specs, NET, '10.0.0.5')?.serverId).toBe('a');
    expect(whoIs(specs, OTHER, '::ffff:10.0.0.5')?.serverId).toBe('b');
  });

  it('is known by its link-local address over IPv6', () => {
    expect(whoIs(specs, NET, 'fe80::f816:3eff:fe00:a%eth0')?.serverId).toBe('a');
    expect(whoIs(specs, OTHER, 'fe80::f816:3eff:fe00:b%eth0')?.serverId).toBe('b');
    expect(whoIs(specs, NET, 'fe80::f816:3eff:fe00:b%eth0')).toBeUndefined();
    expect(whoIs(specs, NET, 'fd00::5')).toBeUndefined();
  });

  it('is nobody on a network or at an address that no server here has', () => {
    expect(whoIs(specs, NET, '10.0.0.6')).toBeUndefined();
    expect(whoIs(specs, 'elsewhere', '10.0.0.5')).toBeUndefined();
    expect(whoIs(specs, NET, '')).toBeUndefined();
  });
});

describe('the networks to serve', () => {
  it('are those of the servers, with all their subnets of IPv4', () => {
    const specs = [server('a', NET, '10.0.0.5', '10.0.0.0/24'), server('b', NET, '10.0.1.5', '10.0.1.0/24')];
    expect([...metadataNetworks(specs).values()]).toEqual([
      {
        networkId: NET,
        portId: `md-${NET}`,
        mac: 'fa:16:3e:00:00:99',
        mtu: 1442,
        cidrs: ['10.0.0.0/24', '10.0.1.0/24'],
        neighbours: [
          { address: '10.0.0.5', mac: 'fa:16:3e:00:00:0a' },
          { address: 'fe80::f816:3eff:fe00:a', mac: 'fa:16:3e:00:00:0a' },
          { address: '10.0.1.5', mac: 'fa:16:3e:00:00:0b' },
          { address: 'fe80::f816:3eff:fe00:b', mac: 'fa:16:3e:00:00:0b' },
        ],
      },
    ]);
  });

  it('leave out those without a metadata port', () => {
    expect(metadataNetworks([server('a', NET, '10.0.0.5', '10.0.0.0/24', '')]).size).toBe(0);
  });

  it('have a namespace each', () => expect(namespaceOf(NET)).toBe(`meta-${NET}`));
});

it('writes a link-local address as the system does', () => {
  expect(linkLocal('fa:16:3e:98:ca:e8')).toBe('fe80::f816:3eff:fe98:cae8');
  expect(linkLocal('02:00:00:00:00:01')).toBe('fe80::ff:fe00:1');
});
