/** What stands against giving a project a network of its own. */
import { type Failure, fail } from '#libs/kernel';

export const autoAllocationFailure = (reason: string, cause?: unknown): Failure =>
  fail.conflict(`Deployment error: ${reason}.`, { type: 'AutoAllocationFailure', cause });
