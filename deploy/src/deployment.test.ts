import { describe, expect, it } from 'vitest';
import {
  controllerAddress,
  deploymentId,
  externalAddress,
  externalCidr,
  fabricAddress,
  freeSubnet,
  managementAddress,
  rangeOf,
} from './deployment.js';

describe('addresses of a cloud', () => {
  it('gives management and fabric neighbouring /24 in 10.192.0.0/10', () => {
    expect(managementAddress({ subnet: 0 }, 1)).toBe('10.192.0.1');
    expect(fabricAddress({ subnet: 0 }, 11)).toBe('10.192.1.11');
    expect(controllerAddress({ subnet: 8191 })).toBe('10.255.254.10');
    expect(fabricAddress({ subnet: 200 }, 12)).toBe('10.193.145.12');
  });

  it('gives the external network a /24 that no other cloud has', () => {
    expect(externalCidr({ subnet: 0 })).toBe('10.128.0.0/24');
    expect(externalAddress({ subnet: 8191 }, 1)).toBe('10.159.255.1');
    expect(externalAddress({ subnet: 257 }, 250)).toBe('10.129.1.250');
  });

  it('takes the first subnet that nothing on the machine reaches already', () => {
    const taken = ['10.192.0.0/16', '172.17.0.0/16', '10.193.0.0/23', '10.193.3.7'].flatMap(
      (cidr) => rangeOf(cidr) ?? [],
    );
    expect(freeSubnet(0, taken)).toBe(130);
    expect(freeSubnet(129, taken)).toBe(130);
    expect(freeSubnet(8191, taken)).toBe(8191);
    expect(freeSubnet(4, [...taken, ...[rangeOf('10.128.130.9')!]])).toBe(131);
    expect(() => freeSubnet(0, [{ low: 0x0a000000, high: 0x0affffff }])).toThrow('no free /23');
  });

  it('reads an address without a length as one host and refuses what is no address', () => {
    expect(rangeOf('10.0.0.1')).toEqual({ low: 0x0a000001, high: 0x0a000001 });
    expect(rangeOf('10.1.2.3/8')).toEqual({ low: 0x0a000000, high: 0x0affffff });
    expect(rangeOf('broadcast')).toBeUndefined();
  });

  it('names two state folders differently and one always alike', () => {
    expect(deploymentId('/a/var')).toBe(deploymentId('/a/var'));
    expect(deploymentId('/a/var')).not.toBe(deploymentId('/b/var'));
    expect(deploymentId('/a/var')).toMatch(/^[0-9a-f]{6}$/);
  });
});
