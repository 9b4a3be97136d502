/** Whose the host processors of a guest are: its own, shared, or some of each. */
import type { HardwareWords } from './server.hardware.words.js';

const FORBIDDEN_POLICY =
  "Image property 'hw_cpu_policy' is not permitted to override CPU pinning policy set against the flavor";
const FORBIDDEN_THREADS =
  "Image property 'hw_cpu_thread_policy' is not permitted to override CPU thread pinning policy set against the flavor";

export const cpuPolicyOf = (words: HardwareWords): string => words.text('cpu_policy') ?? 'shared';
export const threadPolicyOf = (words: HardwareWords): string | undefined => words.text('cpu_thread_policy');
export const isolatesEmulator = (words: HardwareWords): boolean =>
  words.flavor('emulator_threads_policy') === 'isolate';

/** Guest processors with a host processor of their own. */
export function dedicatedCpus(words: HardwareWords, vcpus: number): ReadonlySet<number> {
  const policy = cpuPolicyOf(words);
  if (policy === 'dedicated') return new Set(Array.from({ length: vcpus }, (_, n) => n));
  const mask = words.flavor('cpu_dedicated_mask') ?? '';
  if (policy !== 'mixed') return new Set();
  return cpusIn(mask.trim().startsWith('^') ? `0-${vcpus - 1},${mask}` : mask);
}

export function cpuPolicyTrouble(words: HardwareWords, vcpus: number): string | undefined {
  const policy = words.both('cpu_policy');
  const threads = words.both('cpu_thread_policy');
  if (policy.flavor === 'shared' && policy.image !== undefined && policy.image !== 'shared') return FORBIDDEN_POLICY;
  if (policy.flavor === 'mixed' && policy.image === 'dedicated') return FORBIDDEN_POLICY;
  if (threads.flavor !== undefined && threads.image !== undefined && threads.image !== threads.flavor)
    return FORBIDDEN_THREADS;
  return cpuPolicyOf(words) === 'shared' ? sharedTrouble(words) : ownTrouble(words, vcpus);
}

function sharedTrouble(words: HardwareWords): string | undefined {
  if (threadPolicyOf(words)) return 'Cannot set cpu thread pinning policy in a non dedicated cpu pinning policy';
  if (isolatesEmulator(words)) return 'An isolated CPU emulator threads option requires a dedicated CPU policy option.';
  if (words.flavor('cpu_dedicated_mask') !== undefined)
    return "Cannot specify 'hw:cpu_dedicated_mask' without the 'mixed' policy.";
  return undefined;
}

function ownTrouble(words: HardwareWords, vcpus: number): string | undefined {
  const mixed = cpuPolicyOf(words) === 'mixed';
  const mask = words.flavor('cpu_dedicated_mask');
  if (!mixed) return mask && "Cannot specify 'hw:cpu_dedicated_mask' without the 'mixed' policy.";
  if (mask === undefined)
    return "Must specify either 'hw:cpu_dedicated_mask' or 'hw:cpu_realtime_mask' when using 'mixed' CPU policy.";
  const own = dedicatedCpus(words, vcpus);
  if (own.size === 0 || own.size >= vcpus || Math.max(...own) >= vcpus)
    return "Mixed instance must have at least 1 pinned vCPU and 1 unpinned vCPU. See 'hw:cpu_dedicated_mask'.";
  return undefined;
}

const MOST = 1_023;

/** `0-3,^2,6`; what is no number names nothing, and no list names more than a machine could have. */
export function cpusIn(list: string): ReadonlySet<number> {
  const ids = new Set<number>();
  const barred = new Set<number>();
  for (const part of list.split(',').map((text) => text.trim())) {
    const [, bar, first, last = first] = /^(\^?)(\d{1,9})(?:-(\d{1,9}))?$/.exec(part) ?? [];
    for (let id = Number(first); id <= Math.min(Number(last), MOST); id += 1) (bar ? barred : ids).add(id);
  }
  return new Set([...ids].filter((id) => !barred.has(id)));
}
