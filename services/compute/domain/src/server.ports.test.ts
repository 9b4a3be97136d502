import { expect, it } from 'vitest';
import { changedPorts, ownPorts, type ToldPort } from './server.ports.js';

const nic = (portId: string, tag = '') => ({ portId, adopt: false, networkId: 'n', fixedIp: '', tag });
const told = (id: string, address = '10.0.0.5'): ToldPort => ({
  ...{ id, networkId: 'n', networkName: 'demo', mac: 'fa:16:3e:00:00:01', mtu: 1500, adopted: false },
  fixedIps: [{ subnetId: 's', address, version: 4 }],
  securityGroups: [{ id: 'g', name: 'default' }],
});
const kept = (portId: string, tag = '') => ({
  ...{ tag, portId, networkId: 'n', network: 'demo', mac: 'fa:16:3e:00:00:01', mtu: 1500, adopted: false },
  fixedIps: [{ address: '10.0.0.5', subnetId: 's', version: 4 as const }],
});
const server = {
  nics: [nic('a', 'first'), nic('b')],
  addresses: [kept('a', 'first'), kept('b')],
  securityGroups: [{ name: 'default', id: 'g' }],
};

it("takes no port for the server's own that compute did not give it", () => {
  expect(ownPorts(server, [told('a'), told('foreign')]).map(({ id }) => id)).toEqual(['a']);
  expect(changedPorts(server, [told('b'), told('foreign'), told('a')])).toBeUndefined();
});

it('keeps what network tells anew, in the order of the interfaces', () => {
  const changed = changedPorts(server, [told('b', '10.0.0.9'), told('a')]);
  expect(changed?.addresses.map(({ portId, tag, fixedIps }) => [portId, tag, fixedIps[0]?.address])).toEqual([
    ['a', 'first', '10.0.0.5'],
    ['b', '', '10.0.0.9'],
  ]);
});

it('drops a port that is gone', () => {
  expect(changedPorts(server, [told('b')])?.addresses.map(({ portId }) => portId)).toEqual(['b']);
  expect(changedPorts(server, [])).toEqual({ addresses: [], securityGroups: [] });
});
