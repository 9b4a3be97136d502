import { describe, expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import { configDriveFiles } from '../disk/config-drive.js';
import { answer } from './answers.js';

const SPEC = computeV1.ServerSpec.fromPartial({
  serverId: '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b',
  name: 'web 1',
  hostname: 'web-1',
  projectId: '3f1c2b7d9e804c6d8b5e0a1f2c3d4e5f',
  availabilityZone: 'nova',
  flavorName: 'm1.nano',
  adminPass: 'canary-password',
  userData: Buffer.from('#!/bin/sh\necho hi\n'),
  metadata: { role: 'front' },
  keys: [{ name: 'laptop', type: 'ssh', data: 'ssh-ed25519 AAAA me@laptop\n' }],
  files: [{ path: '/etc/motd', contents: Buffer.from('welcome') }],
  rootDisk: { diskId: '1b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b' },
  localDisks: [{ diskId: '2b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b', tag: 'data' }],
  nics: [
    {
      portId: '5d0f3e8a-1b2c-4d3e-8f90-aabbccddeeff',
      networkId: '9c0d1e2f-0000-4000-8000-000000000001',
      mac: 'fa:16:3e:00:00:01',
      mtu: 1442,
      tag: 'inner',
      fixedIps: [
        {
          address: '10.0.0.5',
          version: 4,
          cidr: '10.0.0.0/24',
          gateway: '10.0.0.1',
          dns: ['9.9.9.9'],
          routes: [{ destination: '10.9.0.0/16', nexthop: '10.0.0.9' }],
          floating: ['203.0.113.7'],
        },
        { address: 'fd00::5', version: 6, cidr: 'fd00::/64', gateway: 'fd00::1', addressMode: 'slaac' },
      ],
      securityGroups: ['default', 'web'],
    },
  ],
});
const OPTIONS = { secret: 's' };
const get = (path: string) => answer(SPEC, path, OPTIONS);
const body = (path: string): string => get(path).body.toString();

describe('the OpenStack tree', () => {
  it('tells a server who it is', () => {
    const told = JSON.parse(body('/openstack/latest/meta_data.json'));
    expect(told).toMatchObject({
      uuid: SPEC.serverId,
      name: 'web 1',
      hostname: 'web-1',
      availability_zone: 'nova',
      project_id: SPEC.projectId,
      meta: { role: 'front' },
      public_keys: { laptop: 'ssh-ed25519 AAAA me@laptop' },
      files: [{ path: '/etc/motd', content_path: '/content/0000' }],
      devices: [
        { type: 'nic', mac: 'fa:16:3e:00:00:01', tags: ['inner'] },
        { type: 'disk', serial: '2b7ec2f4-4a39-4f25-9', tags: ['data'] },
      ],
    });
    expect(Buffer.from(told.random_seed, 'base64')).toHaveLength(512);
    expect(body('/openstack/latest/meta_data.json')).toBe(body('/openstack/2018-08-27/meta_data.json'));
  });

  it('describes the network', () => {
    expect(JSON.parse(body('/openstack/latest/network_data.json'))).toEqual({
      links: [
        {
          id: 'tap5d0f3e8a-1b',
          vif_id: SPEC.nics[0]!.portId,
          type: 'ovs',
          mtu: 1442,
          ethernet_mac_address: 'fa:16:3e:00:00:01',
        },
      ],
      networks: [
        expect.objectContaining({
          id: 'network0',
          type: 'ipv4',
          ip_address: '10.0.0.5',
          netmask: '255.255.255.0',
          routes: [
            { network: '0.0.0.0', netmask: '0.0.0.0', gateway: '10.0.0.1' },
            { network: '10.9.0.0', netmask: '255.255.0.0', gateway: '10.0.0.9' },
          ],
        }),
        expect.objectContaining({
          id: 'network1',
          type: 'ipv6_slaac',
          ip_address: 'fd00::5',
          netmask: 'ffff:ffff:ffff:ffff::',
        }),
      ],
      services: [{ type: 'dns', address: '9.9.9.9' }],
    });
  });

  it('lists its folders and hands out user data and files', () => {
    expect(body('/openstack').split('\n')).toContain('latest');
    expect(body('/openstack/latest/')).toContain('user_data');
    expect(body('/openstack/latest/user_data')).toBe('#!/bin/sh\necho hi\n');
    expect(body('/openstack/content/0000')).toBe('welcome');
    expect(body('/openstack/latest/vendor_data.json')).toBe('{}');
    expect(JSON.parse(body('/openstack/latest/vendor_data2.json'))).toEqual({ static: {} });
  });

  it.each([
    '/nothing',
    '/openstack/1999-01-01/meta_data.json',
    '/openstack/latest/secret',
    '/openstack/content/0009',
    '/latest/meta-data/constructor',
    '/latest/dynamic',
    '/openstack/latest/meta_data.json/x',
  ])('answers 404 to %s', (path) => expect(get(path).status).toBe(404));

  it('has no user data where there is none', () => {
    const none = answer({ ...SPEC, userData: Buffer.alloc(0) }, '/openstack/latest/user_data', OPTIONS);
    expect(none.status).toBe(404);
  });
});

describe('the EC2 tree', () => {
  it.each([
    ['/latest/meta-data/hostname', 'web-1'],
    ['/2009-04-04/meta-data/local-ipv4', '10.0.0.5'],
    ['/latest/meta-data/public-ipv4', '203.0.113.7'],
    ['/latest/meta-data/instance-type', 'm1.nano'],
    ['/latest/meta-data/public-keys/', '0=laptop'],
    ['/latest/meta-data/public-keys/0/', 'openssh-key'],
    ['/latest/meta-data/public-keys/0/openssh-key', 'ssh-ed25519 AAAA me@laptop'],
    ['/latest/meta-data/placement/availability-zone', 'nova'],
    ['/latest/meta-data/security-groups', 'default\nweb'],
    ['/latest/meta-data/block-device-mapping/root', '/dev/vda'],
    ['/latest/user-data', '#!/bin/sh\necho hi\n'],
  ])('%s', (path, expected) => expect(body(path)).toBe(expected));

  it('names the instance in its own way', () =>
    expect(body('/latest/meta-data/instance-id')).toMatch(/^i-[0-9a-f]{8}$/));
  it('lists its root', () => {
    expect(body('/').split('\n')).toContain('2009-04-04');
    expect(body('/latest/meta-data/').split('\n')).toEqual(
      expect.arrayContaining(['hostname', 'placement/', 'public-keys/']),
    );
  });
});

it('puts the password on the config drive alone', () => {
  expect(body('/openstack/latest/meta_data.json')).not.toContain('canary-password');
  const files = configDriveFiles(SPEC, OPTIONS);
  expect(String(files.get('openstack/latest/meta_data.json'))).toContain('canary-password');
  expect([...files.keys()]).toEqual(
    expect.arrayContaining([
      'openstack/latest/user_data',
      'openstack/latest/network_data.json',
      'openstack/latest/vendor_data.json',
      'openstack/content/0000',
      'ec2/latest/meta-data.json',
    ]),
  );
});
