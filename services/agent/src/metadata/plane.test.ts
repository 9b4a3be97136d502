import { describe, expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import { metadataNetworks, namespaceOf, whoIs } from './plane.js';

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
      },
    ]);
  });

  it('leave out those without a metadata port', () => {
    expect(metadataNetworks([server('a', NET, '10.0.0.5', '10.0.0.0/24', '')]).size).toBe(0);
  });

  it('have a namespace each', () => expect(namespaceOf(NET)).toBe(`meta-${NET}`));
});
