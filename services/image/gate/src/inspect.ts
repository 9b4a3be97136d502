/** The gate's judgement: do the bytes have the declared format, that one alone, and nothing that reaches outside? */
import { signaturesOf } from './magic.js';
import { inspectQcow2 } from './qcow2.js';
import { Refusal, type Source, type Verdict } from './source.js';

export interface Limits {
  /** The largest disk that is accepted, in bytes. */
  readonly maxVirtual: number;
}

/** Formats that are a plain run of bytes: disks, kernels, ramdisks. Partition tables in them are welcome. */
const PLAIN = new Set(['raw', 'ami', 'aki', 'ari']);

/** The verdict on bytes declared as `declared`. Throws Refusal. */
export function inspect(source: Source, declared: string, limits: Limits): Verdict {
  if (source.size === 0) throw new Refusal('The image data is empty.');
  const found = signaturesOf(source);
  if (PLAIN.has(declared)) {
    if (found.length) throw mismatch(declared, found);
    if (source.size > limits.maxVirtual)
      throw new Refusal(`The image is a disk of more than ${limits.maxVirtual} bytes.`);
    return { format: declared, virtualSize: source.size };
  }
  if (declared !== 'qcow2' && declared !== 'iso')
    throw new Refusal(`Image data of format ${declared} is not supported.`);
  if (found.length !== 1 || found[0] !== declared) throw mismatch(declared, found);
  return declared === 'qcow2' ? inspectQcow2(source, limits.maxVirtual) : { format: 'iso', virtualSize: source.size };
}

const mismatch = (declared: string, found: readonly string[]): Refusal =>
  new Refusal(
    found.length
      ? `The image data is declared as ${declared} but has the signature of ${found.join(' and ')}.`
      : `The image data is declared as ${declared} but does not have that format.`,
  );
