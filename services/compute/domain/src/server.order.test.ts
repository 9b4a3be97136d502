import { describe, expect, it } from 'vitest';
import type { Flavor } from './flavor.js';
import { limitsFrom, QUOTA_DEFAULTS } from './quota.js';
import { type OrderFacts, orderTrouble, planServers, type ServerOrder } from './server.order.js';

const order: ServerOrder = {
  name: 'web',
  description: null,
  hostname: null,
  imageId: 'image',
  devices: [],
  flavorId: 'f',
  keyName: null,
  metadata: {},
  userData: null,
  adminPass: null,
  files: [],
  configDrive: false,
  networks: 'any',
  securityGroups: [],
  minCount: 1,
  maxCount: 1,
  zone: null,
  onlyHost: '',
  tags: [],
  hints: {},
  accessIpV4: '',
  accessIpV6: '',
  diskConfig: 'MANUAL',
};
const flavor: Flavor = {
  id: 'f',
  number: 1,
  name: 'small',
  vcpus: 2,
  memoryMb: 512,
  diskGb: 2,
  ephemeralGb: 1,
  swapMb: 1_500,
  rxtxFactor: 1,
  extraSpecs: { 'trait:HW_CPU_X86_AVX2': 'required', 'own:x': 'y' },
  isPublic: true,
  disabled: false,
  description: null,
  createdAt: new Date(0),
  updatedAt: null,
};
const facts: OrderFacts & { flavor: Flavor } = {
  flavor,
  image: {
    id: 'image',
    name: 'tiny',
    status: 'active',
    diskFormat: 'raw',
    size: 1_000,
    virtualSize: 2 ** 30,
    sha256: '',
    properties: { 'trait:CUSTOM_SLOW': 'forbidden' },
    minDiskGb: 0,
    minMemoryMb: 0,
  },
  keypair: undefined,
  limits: QUOTA_DEFAULTS,
  nics: [{ portId: '', networkId: 'net', fixedIp: '', tag: '', adopt: false }],
  securityGroups: [{ id: 'sg', name: 'default' }],
  excludeProviderIds: [],
  amongProviderIds: [],
  group: null,
};
const rights = { zeroDiskFlavor: false };
const trouble = (more: Partial<ServerOrder>, other: Partial<OrderFacts> = {}, may = rights) =>
  orderTrouble({ ...order, ...more }, { ...facts, ...other }, may)?.message;
const image = (more: Partial<OrderFacts['image']>) => ({ image: { ...facts.image, ...more } });

describe('an order', () => {
  it('is fine as it is', () => expect(trouble({})).toBeUndefined());

  it.each([
    [{}, { flavor: undefined }, 'Flavor f could not be found.'],
    [{}, { flavor: { ...flavor, disabled: true } }, 'Flavor f could not be found.'],
    [{}, image({ status: 'saving' }), 'Image image is not active.'],
    [{ keyName: 'k' }, {}, 'Invalid key_name provided.'],
    [{}, image({ minMemoryMb: 513 }), "Flavor's memory is too small for requested image."],
    [{}, image({ minDiskGb: 3 }), /^Flavor's disk is too small/],
    [{}, image({ virtualSize: 2 * 2 ** 30 + 1 }), /^Flavor's disk is too small/],
    [{ metadata: { a: '1', b: '2' } }, { limits: limitsFrom({ metadata_items: 1 }) }, /metadata items exceeds 1/],
    [{ files: [{ path: '/a', contents: 'AAAA' }] }, { limits: limitsFrom({ injected_files: 0 }) }, /at most 0 files/],
    [
      { files: [{ path: '/abc', contents: '' }] },
      { limits: limitsFrom({ injected_file_path_bytes: 3 }) },
      /path exceeds/,
    ],
    [
      { files: [{ path: '/a', contents: 'AAAA' }] },
      { limits: limitsFrom({ injected_file_content_bytes: 2 }) },
      /content exceeds/,
    ],
  ])('is refused for %j %j', (more, other, message) => {
    expect(trouble(more, other as Partial<OrderFacts>)).toMatch(message);
  });

  it('may use a flavor without a disk only where that is allowed', () => {
    const zero = { flavor: { ...flavor, diskGb: 0 } };
    expect(trouble({}, zero)).toMatch(/zero disk/);
    expect(trouble({}, zero, { zeroDiskFlavor: true })).toBeUndefined();
  });
});

describe('a plan', () => {
  let next = 0;
  const fresh = () => {
    next += 1;
    return `id-${next}`;
  };

  it('fixes every id before the first step', () => {
    next = 0;
    const [first, second] = planServers({ ...order, name: 'My Web_Server.1' }, facts, 2, fresh);
    expect(first?.server).toMatchObject({ id: 'id-1', name: 'My Web_Server.1-1', hostname: 'my-web-server-1-1' });
    expect(second?.input).toMatchObject({
      serverId: 'id-6',
      nics: [{ portId: 'id-7', networkId: 'net' }],
      securityGroupIds: ['sg'],
      size: { vcpus: 2, memoryMb: 512, diskGb: 5 },
      requiredTraits: ['HW_CPU_X86_AVX2'],
      forbiddenTraits: ['CUSTOM_SLOW'],
    });
  });

  it('keeps the port that the tenant brought, and the name of a single server', () => {
    const nics = [{ portId: 'own', networkId: 'net', fixedIp: '', tag: 't', adopt: true }];
    const [plan] = planServers(order, { ...facts, nics }, 1, fresh);
    expect(plan?.server).toMatchObject({
      name: 'web',
      hostname: 'web',
      nics: [{ portId: 'own', adopt: true, tag: 't' }],
    });
  });

  it.each([
    ['Íñstáñcé ₡', 'instance'],
    ['-..-', 'server-id'],
    ['₡₡', 'server-id'],
    ['a'.repeat(80), 'a'.repeat(63)],
  ])('calls the host of %s %s', (name, hostname) => {
    expect(planServers({ ...order, name }, facts, 1, () => 'id')[0]?.server.hostname).toBe(hostname);
  });
});
