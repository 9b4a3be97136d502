/** Firmware, secure boot and the TPM of a guest. */
import type { MachineAbilities, MachineFamily } from './abilities.js';
import { refused, type Wishes } from './wishes.js';

export interface Firmware {
  readonly secureBoot: boolean;
  readonly stateless: boolean;
}

export interface Tpm {
  readonly version: string;
  readonly model: string;
}

/** Undefined: BIOS. */
export function firmwareOf(wishes: Wishes, able: MachineAbilities, family: MachineFamily): Firmware | undefined {
  const type = (wishes.image('hw_firmware_type') ?? 'bios').toLowerCase();
  const policy = wishes.text('secure_boot', 'os') ?? 'disabled';
  if (type !== 'bios' && type !== 'uefi') throw refused(`firmware of type ${type.slice(0, 40)}`);
  if (type === 'bios') {
    if (policy === 'required') throw refused('secure boot without UEFI');
    return undefined;
  }
  if (!able.uefi) throw refused('UEFI: its firmware is not installed');
  // Secure boot needs system management mode, which only q35 has.
  const can = able.secureBoot && family === 'q35';
  if (policy === 'required' && !can) throw refused('secure boot on such a machine');
  return { secureBoot: policy !== 'disabled' && can, stateless: wishes.imageFlag('hw_firmware_stateless') ?? false };
}

export function tpmOf(wishes: Wishes, able: MachineAbilities): Tpm | undefined {
  const version = wishes.text('tpm_version');
  if (version === undefined) return undefined;
  const model = wishes.text('tpm_model') ?? 'tpm-tis';
  if (!able.tpmModels.includes(model) || !able.tpmVersions.includes(version))
    throw refused(`a TPM ${version.slice(0, 10)} of model ${model.slice(0, 20)}`);
  if (wishes.flavor('hw:tpm_secret_security')) throw refused('sealed TPM states');
  return { version, model };
}
