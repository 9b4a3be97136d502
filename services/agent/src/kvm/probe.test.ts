import { describe, expect, it } from 'vitest';
import { type Accel, type ProbeHost, probeKvm } from './probe.js';
import { PROBE_EXIT_CODE, probeRom } from './rom.js';

const host = (parts: Partial<{ opens: boolean; pvm: boolean; flags: string; runs: readonly Accel[] }>): ProbeHost => ({
  kvmOpens: async () => parts.opens ?? true,
  hasModule: async () => parts.pvm ?? false,
  cpuFlags: async () => parts.flags ?? 'flags : fpu vmx sse',
  romRuns: async (accel) => (parts.runs ?? ['tcg', 'kvm']).includes(accel),
});

describe('the KVM probe', () => {
  it.each([
    ['nothing against it and the ROM runs', {}, 'kvm', 'proved by the probe'],
    ['no device', { opens: false }, 'tcg', '/dev/kvm'],
    ['a page-table KVM', { pvm: true }, 'tcg', 'kvm_pvm'],
    ['no hardware support', { flags: 'flags : fpu svmx' }, 'tcg', 'vmx or svm'],
    ['a KVM that hangs', { runs: ['tcg'] as const }, 'tcg', 'did not run the probe'],
    ['a harness that does not work', { runs: ['kvm'] as const }, 'tcg', 'unproved'],
  ] as const)('%s', async (_name, parts, accel, reason) => {
    const probe = await probeKvm('auto', host(parts));
    expect(probe.accel).toBe(accel);
    expect(probe.reason).toContain(reason);
  });

  it('does what it is told without probing', async () => {
    expect((await probeKvm('kvm', host({ opens: false }))).accel).toBe('kvm');
    expect((await probeKvm('qemu', host({}))).accel).toBe('tcg');
  });

  it('runs a ROM whose bytes are known to work', () => {
    const rom = probeRom();
    expect(rom.length).toBe(65_536);
    const assembled = [
      'fafc31c08ed88ec08ed0bf0010b9000c6631c066f3ab66c70600100320000066c70600200330000066c7060030830000002e',
      '660f0116800066b8200600000f22e066b8001000000f22d866b9800000c00f32660d000100000f3066b8110000800f22c066',
      'eaa0000f0008000000000000000000000000000000000000000000000f0090000f0000000000000000000000000000000000',
      '0000ffff0000009aaf00b980969800ffc975fc66baf400b02aeef4ebfd',
    ];
    expect(rom.subarray(0, 0xb3).toString('hex')).toBe(assembled.join(''));
    expect(rom.subarray(0xfff0, 0xfff5).toString('hex')).toBe('ea000000f0');
    expect(PROBE_EXIT_CODE).toBe(85);
  });
});
