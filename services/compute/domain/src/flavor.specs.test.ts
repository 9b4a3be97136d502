import { expect, it } from 'vitest';
import { extraSpecTrouble } from './flavor.specs.js';

it.each([
  ['foo:bar', 'anything'],
  ['plain', 'anything'],
  ['hw:cpu_policy', 'shared'],
  ['hw:numa_nodes', '2'],
  ['hw:mem_page_size', '2MB'],
  ['hw:boot_menu', 'TRUE'],
  ['hw_rng:allowed', 'True'],
  ['trait:HW_CPU_X86_AVX2', 'required'],
  ['trait1:CUSTOM_A', 'forbidden'],
  ['resources2:VCPU', '4'],
  ['quota:disk_read_iops_sec_max', '100'],
  ['capabilities:a:b', '>= 1'],
])('takes %s=%s', (key, value) => expect(extraSpecTrouble(key, value)).toBeUndefined());

it.each([
  ['hw:cpu_policies', 'shared'],
  ['hw:cpu_policy', 'sharde'],
  ['hw:numa_nodes', '0'],
  ['hw:numa_nodes', '2\n'],
  ['trait:lower', 'required'],
  ['trait:CUSTOM_A', 'maybe'],
  ['resources:VCPU', 'many'],
])('refuses %s=%s', (key, value) => expect(extraSpecTrouble(key, value)).toMatch(/Validation failed/));
