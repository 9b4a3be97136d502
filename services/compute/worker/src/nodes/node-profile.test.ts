import { expect, it } from 'vitest';
import { attributesOf, numaOf, traitsOf } from './node-profile.js';

const node = {
  ...{ accel: 'kvm', disabled: false, forcedDown: false, hypervisorType: 'QEMU', hypervisorVersion: 10_000_000 },
  ...{ name: 'node-1', vcpus: 8, traits: ['COMPUTE_SECURITY_TPM_2_0', 'HW_CPU_X86_AVX2'] },
  cpuInfo: { arch: 'x86_64', vendor: 'AMD', features: ['aes', 'avx2', 'sse4.1', 'constructor', 'fma'] },
};

it('tells of what guests can have, and whether it is disabled', () => {
  expect(traitsOf(node)).toEqual(
    expect.arrayContaining([
      'COMPUTE_NODE',
      'COMPUTE_SECURITY_TPM_2_0',
      'COMPUTE_IMAGE_TYPE_QCOW2',
      'CUSTOM_ACCEL_KVM',
      'HW_ARCH_X86_64',
    ]),
  );
  expect(traitsOf(node).filter((trait) => trait.startsWith('HW_CPU_'))).toEqual([
    ...['HW_CPU_X86_AVX2', 'HW_CPU_X86_AESNI', 'HW_CPU_X86_SSE41', 'HW_CPU_X86_FMA3'],
  ]);
  expect(traitsOf(node)).not.toContain('COMPUTE_STATUS_DISABLED');
  expect(traitsOf({ ...node, disabled: true })).toContain('COMPUTE_STATUS_DISABLED');
});

it("has attributes by upstream's names, without those it does not tell of", () => {
  expect(attributesOf(node)).toMatchObject({
    ...{ arch: 'x86_64', hypervisor_types: 'qemu kvm', 'cpu_info:vendor': 'AMD', hypervisor_type: 'QEMU' },
  });
  expect(attributesOf({ ...node, accel: 'tcg' })['hypervisor_types']).toBe('qemu');
  expect(attributesOf(node)).not.toHaveProperty('machine_types');
  expect(attributesOf({ ...node, cpuInfo: { arch: [1], features: 'x' } })).not.toHaveProperty('arch');
});

it('takes NUMA nodes as they are told, and nothing for any that make no sense', () => {
  const numa = [
    { cpus: [0, 1], memoryMb: 1024.5 },
    { cpus: 4, memoryMb: 10 },
    { cpus: [] },
    null,
    'x',
    { memoryMb: 1 },
  ];
  expect(numaOf({ cpuInfo: { numa } })).toEqual([
    { cpus: 2, memoryMb: 1024 },
    { cpus: 4, memoryMb: 10 },
  ]);
  expect(numaOf({ cpuInfo: {} })).toEqual([]);
});
