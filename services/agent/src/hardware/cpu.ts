/** Which processor a guest sees. */
import type { Accel } from '../kvm/probe.js';
import type { MachineAbilities } from './abilities.js';
import { refused, type Wishes } from './wishes.js';

/** The operator's choice for the node; undefined where the node chooses by itself. */
export interface CpuPreference {
  readonly mode?: 'host-model' | 'host-passthrough' | 'maximum' | 'custom' | undefined;
  /** For `custom`: the best that the node can give of these, in order. */
  readonly models?: readonly string[] | undefined;
}

export interface CpuModel {
  readonly mode: 'host-model' | 'host-passthrough' | 'maximum' | 'custom';
  readonly model: string | undefined;
  readonly addressBits: { readonly mode: 'passthrough' | 'emulate'; readonly bits: number | undefined } | undefined;
}

export function cpuModelOf(wishes: Wishes, accel: Accel, able: MachineAbilities, preference: CpuPreference): CpuModel {
  const mode = preference.mode ?? (accel === 'kvm' ? 'host-model' : 'maximum');
  if (!able.cpuModes.includes(mode)) throw refused(`processors of mode ${mode}`);
  return {
    mode,
    model: mode === 'custom' ? bestModel(able, preference) : undefined,
    addressBits: bitsOf(wishes, accel),
  };
}

function bestModel(able: MachineAbilities, { models = [] }: CpuPreference): string {
  const model = models.find((one) => able.cpuModels.includes(one));
  if (!model) throw refused(`any of the processor models ${models.join(', ')}`);
  return model;
}

/** What QEMU emulates, and nothing else. */
const EMULATED_BITS = 40;

function bitsOf(wishes: Wishes, accel: Accel): CpuModel['addressBits'] {
  const mode = wishes.text('maxphysaddr_mode');
  const bits = wishes.number('maxphysaddr_bits');
  if (mode === undefined) return undefined;
  if (mode !== 'passthrough' && mode !== 'emulate') throw refused(`maxphysaddr_mode ${mode.slice(0, 40)}`);
  if (accel === 'tcg' && (mode === 'passthrough' || (bits ?? EMULATED_BITS) !== EMULATED_BITS))
    throw refused(`physical addresses of other than ${EMULATED_BITS} bits without hardware virtualization`);
  return { mode, bits };
}
