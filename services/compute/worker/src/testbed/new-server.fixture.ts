/** A server as the api would insert it, with the input of its create. */
import { randomUUID } from 'node:crypto';
import type { NewServer } from '#services/compute/data';
import { devicesOf, type ServerCreateInput } from '#services/compute/domain';

export function newServer(memoryMb: number): { server: NewServer; input: ServerCreateInput } {
  const id = randomUUID();
  const nics = [{ portId: randomUUID(), adopt: false, networkId: randomUUID(), fixedIp: '', tag: '' }];
  const flavor = {
    ...{ id: '1', name: 'm1.nano', vcpus: 1, memoryMb, diskGb: 1, ephemeralGb: 1, swapMb: 64, rxtxFactor: 1 },
    extraSpecs: {},
  };
  const server: NewServer = {
    ...{ id, projectId: 'p1', userId: 'u1', name: 'a', hostname: 'a', description: null, availabilityZone: null },
    ...{ pinnedZone: null, imageId: randomUUID(), flavor, flavorId: '1', keyName: null, keyType: null, keyData: null },
    image: { name: 'tiny', diskFormat: 'qcow2', size: 1, virtualSize: 1, sha256: '', properties: {} },
    ...{
      metadata: {},
      configDrive: false,
      nics,
      securityGroups: [],
      tags: [],
      groupId: null,
      schedulerHints: {},
      accessIpV4: '',
    },
    ...{ accessIpV6: '', diskConfig: 'MANUAL', reservationId: 'r-1', launchIndex: 0 },
    devices: devicesOf([], flavor, false, randomUUID),
    secrets: { userData: Buffer.from('#!/bin/sh').toString('base64'), adminPass: 'pw', files: [] },
  };
  const input: ServerCreateInput = {
    ...{ serverId: id, hostname: 'a', nics, securityGroupIds: ['g'], requiredTraits: [], forbiddenTraits: [] },
    ...{ size: { vcpus: 1, memoryMb, diskGb: 1 }, onlyHost: '', availabilityZone: '', excludeProviderIds: [] },
  };
  return { server, input };
}
