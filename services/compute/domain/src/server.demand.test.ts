import { describe, expect, it } from 'vitest';
import { demandOf, demandTrouble } from './server.demand.js';

const flavorWith = (extraSpecs: Record<string, string>) => ({
  ...{ id: '1', name: 'f', vcpus: 3, memoryMb: 1000, diskGb: 1, ephemeralGb: 0, swapMb: 0, rxtxFactor: 1 },
  extraSpecs,
});

describe('what a flavor and an image demand of a node', () => {
  it('is traits, resources, and what nodes and their aggregates are to say', () => {
    const flavor = flavorWith({
      'trait:HW_CPU_X86_AVX': 'required',
      'trait:CUSTOM_OLD': 'forbidden',
      'resources:CUSTOM_LICENSE': '2',
      'resources:VCPU': '0',
      'capabilities:cpu_info:arch': 'x86_64',
      'aggregate_instance_extra_specs:ssd': 'true',
      'hw:cpu_cores': '2',
    });
    const properties = { 'trait:CUSTOM_A': 'required', 'trait:CUSTOM_B': 'maybe', os_distro: 'debian' };
    expect(demandOf(flavor, { properties })).toEqual({
      requiredTraits: ['HW_CPU_X86_AVX', 'CUSTOM_A'],
      forbiddenTraits: ['CUSTOM_OLD'],
      resources: { CUSTOM_LICENSE: 2, VCPU: 0 },
      extraSpecs: { 'capabilities:cpu_info:arch': 'x86_64', 'aggregate_instance_extra_specs:ssd': 'true' },
      imageProperties: { os_distro: 'debian' },
      numa: [],
    });
  });

  it('is NUMA nodes in equal shares, or as they are said to be', () => {
    const numa = (specs: Record<string, string>, properties = {}) => demandOf(flavorWith(specs), { properties }).numa;
    expect(numa({ 'hw:numa_nodes': '2' })).toEqual(Array(2).fill({ cpus: 2, memoryMb: 500 }));
    expect(numa({}, { hw_numa_nodes: '1' })).toEqual([{ cpus: 3, memoryMb: 1000 }]);
    const said = { 'hw:numa_cpus.0': '0-2,^1', 'hw:numa_mem.0': '600', 'hw:numa_cpus.1': '1', 'hw:numa_mem.1': '400' };
    expect(numa({ 'hw:numa_nodes': '2', ...said })).toEqual([
      { cpus: 2, memoryMb: 600 },
      { cpus: 1, memoryMb: 400 },
    ]);
    expect(numa({ 'hw:numa_nodes': '999999999' })).toEqual([]);
    expect(numa({ 'hw:numa_nodes': '1', 'hw:numa_cpus.0': '0-999999999' })?.[0]?.cpus).toBe(1024);
  });

  it('is all that groups ask for together, as a node is one provider', () => {
    const flavor = flavorWith({
      'resources:CUSTOM_A': '1',
      ...{ 'resources1:CUSTOM_A': '2', 'resources_NET:SRIOV_NET_VF': '1', group_policy: 'none' },
      ...{ 'trait1:CUSTOM_FAST': 'required', 'trait_NET:CUSTOM_OLD': 'forbidden', 'trait2:CUSTOM_B': 'maybe' },
    });
    expect(demandTrouble(flavor)).toBeUndefined();
    expect(demandOf(flavor, { properties: {} })).toMatchObject({
      resources: { CUSTOM_A: 3, SRIOV_NET_VF: 1 },
      requiredTraits: ['CUSTOM_FAST'],
      forbiddenTraits: ['CUSTOM_OLD'],
    });
    const two = { 'resources1:CUSTOM_A': '1', 'resources2:CUSTOM_A': '1' };
    expect(demandTrouble(flavorWith({ 'resources1:CUSTOM_A': '1', group_policy: 'isolate' }))).toBeUndefined();
    expect(demandTrouble(flavorWith(two))?.message).toMatch(/in 2 groups and needs the extra spec 'group_policy'/);
    expect(demandTrouble(flavorWith({ ...two, group_policy: 'isolate' }))?.message).toMatch(/takes all from one node/);
    expect(demandTrouble(flavorWith({ group_policy: 'some' }))?.message).toMatch(/must be 'none' or 'isolate'/);
  });

  it('is refused where no node of this cloud could ever meet it', () => {
    expect(
      demandTrouble(flavorWith({ 'resources:VCPU': '4', 'trait:A': 'required', 'hw:numa_nodes': '1' })),
    ).toBeUndefined();
    for (const [key, value] of [
      ['resources:VCPU', '-1'],
      ['resources:vcpu', '1'],
      ['resources:VCPU', 'x'],
      ['resources1:VCPU', 'x'],
      ['resources_NET:vcpu', '1'],
    ] as const)
      expect(demandTrouble(flavorWith({ [key]: value }))?.message).toMatch(/must be a whole number/);
  });
});
