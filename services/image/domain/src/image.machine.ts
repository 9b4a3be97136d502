/**
 * The states of an image. Every change of status is one of these actions, written as a compare-and-set on `from`.
 *
 *   queued --startUpload--> saving --finishUpload--> active <--> deactivated
 *     ^                       |
 *     +-----abandonUpload-----+           any of them --delete--> deleted
 */
import { fail } from '#libs/kernel';
import { IMAGE_STATUSES, type ImageStatus } from './image.js';

interface Action {
  readonly from: readonly ImageStatus[];
  readonly to: ImageStatus;
  /** Statuses in which the action has nothing to do and succeeds all the same. */
  readonly idle?: readonly ImageStatus[];
}

export const IMAGE_ACTIONS = {
  startUpload: { from: ['queued'], to: 'saving' },
  finishUpload: { from: ['saving'], to: 'active' },
  abandonUpload: { from: ['saving'], to: 'queued' },
  deactivate: { from: ['active'], to: 'deactivated', idle: ['deactivated'] },
  reactivate: { from: ['deactivated'], to: 'active', idle: ['active'] },
  delete: { from: ['queued', 'saving', 'active', 'deactivated'], to: 'deleted' },
} as const satisfies Record<string, Action>;

export type ImageAction = keyof typeof IMAGE_ACTIONS;

/** What the action would do: move on, or nothing. Throws the refusal that the client gets. */
export function decideAction(action: ImageAction, status: ImageStatus): 'go' | 'idle' {
  const row: Action = IMAGE_ACTIONS[action];
  if (row.from.includes(status)) return 'go';
  if (row.idle?.includes(status)) return 'idle';
  if (action === 'startUpload') throw fail.conflict(`Image status transition from ${status} to saving is not allowed`);
  if (action === 'deactivate' || action === 'reactivate')
    throw fail.forbidden(`Not allowed to ${action} image in status '${status}'`);
  throw fail.notFound('The image could not be found.');
}

/** Every status but the last can be left, and every action leads to a status: checked when the service starts. */
export function assertMachine(): void {
  for (const status of IMAGE_STATUSES) {
    const left = Object.values(IMAGE_ACTIONS).some((action: Action) => action.from.includes(status));
    if (left === (status === 'deleted')) throw new Error(`status ${status} has a wrong way out`);
  }
}
