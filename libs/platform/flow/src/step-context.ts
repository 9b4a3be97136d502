/** What a step is given, made from a leased task or from a debt. */
import type { Direction, Fence, StepContext } from './types.js';

/** What a task and a debt have in common. */
export interface ContextSource {
  readonly taskId: string;
  readonly kind: string;
  readonly key: string;
  readonly projectId: string;
  readonly userId: string;
  readonly requestId: string;
  readonly input: unknown;
  readonly createdAt: Date;
}

export interface ContextNow {
  readonly direction: Direction;
  readonly attempt: number;
  readonly now: Date;
  readonly since: Date;
  readonly signal: AbortSignal;
  readonly failure: { readonly kind: string; readonly message: string } | undefined;
  readonly out: (step: string) => unknown;
  readonly next: () => Fence;
}

export function stepContext<I>(source: ContextSource, now: ContextNow): StepContext<I> {
  return {
    ...source,
    ...now,
    input: source.input as I,
    out: <T>(step: string) => now.out(step) as T | undefined,
  };
}
