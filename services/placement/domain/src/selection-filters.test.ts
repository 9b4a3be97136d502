import { describe, expect, it } from 'vitest';
import { provider, snapshotOf } from '../fixtures/providers.js';
import { NO_PROFILE, type NodeProfile } from './provider.js';
import { reasonOf } from './rejection.js';
import { selectNodes } from './selection.js';
import type { NodeRequest } from './selection-request.js';
import { specMatches } from './selection-specs.js';

/** Why a node of that profile does not get the request; undefined where it does. */
function refusal(profile: Partial<NodeProfile>, wanted: Partial<NodeRequest>, filters?: never[]): string | undefined {
  const snapshot = snapshotOf(provider('a', { profile: { ...NO_PROFILE, ...profile } }));
  const request = { resources: { VCPU: 1 }, ...wanted };
  const { rejections } = selectNodes(snapshot, request, {
    random: () => 0,
    ...(filters ? { policy: { filters } } : {}),
  });
  return rejections[0] && reasonOf(rejections[0].refusal);
}

const attributes = {
  ...{ arch: 'x86_64', hypervisor_types: 'qemu', vm_modes: 'hvm', hypervisor_type: 'QEMU' },
  ...{ 'cpu_info:features': 'aes avx sse' },
};

describe('what the image needs', () => {
  it('is held against what a node tells of itself', () => {
    const image = (imageProperties: Record<string, string>) => refusal({ attributes }, { imageProperties });
    expect(image({ hw_architecture: 'x86_64', os_distro: 'debian' })).toBeUndefined();
    expect(image({ architecture: 'amd64', hypervisor_type: 'QEMU', hw_vm_mode: 'hvm' })).toBeUndefined();
    expect(image({ hw_architecture: 'aarch64' })).toBe('is not what the image needs: arch aarch64');
    expect(image({ img_hv_type: 'kvm' })).toBe('is not what the image needs: hypervisor_types kvm');
    expect(image({ hw_machine_type: 'q35' })).toBeUndefined();
    expect(refusal({}, { imageProperties: { hw_architecture: 'aarch64' } })).toBeUndefined();
  });

  it('is also the version of the hypervisor', () => {
    const image = (asked: string, own: Record<string, string> = { hypervisor_version: '7002001' }) =>
      refusal({ attributes: own }, { imageProperties: { img_hv_requested_version: asked } });
    for (const asked of ['>=6.0', '>= 7.2.1, < 8', '==7.2.1', '!=7.2', '>7,<=7.2.1'])
      expect([asked, image(asked)]).toEqual([asked, undefined]);
    for (const asked of ['<7.2.1', '>=6.0,<7', '==7.2', '7.2.1', '>=', '>=x', ''.padEnd(3), '>=7.2.1,'])
      expect([asked, image(asked)]).toEqual([asked, `is not what the image needs: hypervisor_version ${asked}`]);
    expect(image('>=99', {})).toBeUndefined();
    expect(
      refusal({ attributes: { hypervisor_version: '1' } }, { imageProperties: { hypervisor_version_requires: '>1' } }),
    ).toBe('is not what the image needs: hypervisor_version >1');
  });

  it('may be turned off', () => {
    expect(refusal({ attributes }, { imageProperties: { hw_architecture: 'aarch64' } }, [])).toBeUndefined();
  });
});

it('capabilities of the flavor must be told of', () => {
  const flavor = (extraSpecs: Record<string, string>) => refusal({ attributes }, { extraSpecs });
  expect(flavor({ 'capabilities:hypervisor_type': 's== QEMU', 'hw:cpu_cores': '2' })).toBeUndefined();
  expect(flavor({ 'capabilities:cpu_info:features': '<all-in> aes avx' })).toBeUndefined();
  expect(flavor({ 'capabilities:cpu_info:features': '<in> sgx' })).toMatch(/^is not as capable as the flavor needs/);
  expect(flavor({ 'capabilities:constructor': 'x' })).toMatch(/^is not as capable/);
});

describe('aggregates', () => {
  const labels = {
    ssd: ['true'],
    filter_tenant_id: ['p1, p2'],
    filter_tenant_id_3: ['p3'],
    os_distro: ['debian', 'arch'],
  };

  it('keep nodes for projects', () => {
    expect(refusal({ labels }, { projectId: 'p3' })).toBeUndefined();
    expect(refusal({ labels }, { projectId: 'p2' })).toBeUndefined();
    expect(refusal({ labels }, { projectId: 'p4' })).toBe('is reserved for other projects');
    expect(refusal({ labels: { ssd: ['true'] } }, { projectId: 'p4' })).toBeUndefined();
  });

  it('keep nodes for images', () => {
    expect(refusal({ labels }, { imageProperties: { os_distro: 'arch' } })).toBeUndefined();
    expect(refusal({ labels }, { imageProperties: { hw_disk_bus: 'scsi' } })).toBeUndefined();
    expect(refusal({ labels }, { imageProperties: { os_distro: 'windows' } })).toBe(
      'is reserved for images with os_distro debian or arch',
    );
  });

  it('are asked for by flavors', () => {
    const asks = (extraSpecs: Record<string, string>) => refusal({ labels }, { extraSpecs });
    expect(asks({ 'aggregate_instance_extra_specs:ssd': 'true' })).toBeUndefined();
    expect(asks({ 'aggregate_instance_extra_specs:ssd': '<or> true <or> maybe' })).toBeUndefined();
    expect(asks({ 'aggregate_instance_extra_specs:ssd': 'false' })).toBe('is not in an aggregate with ssd false');
    expect(asks({ 'aggregate_instance_extra_specs:gpu': 'true' })).toBe('is not in an aggregate with gpu true');
  });
});

it('NUMA nodes of a guest each need one of the host, where the host tells of any', () => {
  const cell = (cpus: number, memoryMb: number) => ({ cpus, memoryMb });
  const asks = (...numa: readonly { cpus: number; memoryMb: number }[]) =>
    refusal({ numa: [cell(4, 4096), cell(4, 2048)] }, { numa });
  expect(asks(cell(2, 2048), cell(2, 4096))).toBeUndefined();
  expect(asks(cell(2, 4096), cell(2, 4096))).toBe('does not have 2 NUMA nodes of the size needed');
  expect(asks(cell(1, 1), cell(1, 1), cell(1, 1))).toMatch(/does not have 3 NUMA nodes/);
  expect(refusal({}, { numa: [cell(64, 1)] })).toBeUndefined();
});

it('extra specs compare as upstream documents', () => {
  const cases: readonly (readonly [spec: string, own: string, meets: boolean])[] = [
    ['= 4', '8', true],
    ['= 4', '2', false],
    ['== 4', '4.0', true],
    ['>= 4', '', false],
    ['s== 4', '4.0', false],
    ['s!= a', 'b', true],
    ['<in> ab', 'cabd', true],
    ['<or> a <or> b', 'b', true],
    ['<or> a <or> b', 'c', false],
    ['<all-in> a b', 'b a', true],
    ['plain', 'plain', true],
    ['two words', 'two words', true],
    ['=', '=', true],
  ];
  for (const [spec, own, meets] of cases) expect([spec, own, specMatches(spec, own)]).toEqual([spec, own, meets]);
});
