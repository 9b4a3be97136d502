import type { KeyObject } from 'node:crypto';
import type { Clock, Ids } from '#libs/kernel';

export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/** Where ids and time come from, and how tokens are made. */
export class Settings {
  constructor(
    readonly ids: Ids,
    readonly clock: Clock,
    readonly tokenLifetimeMs: number,
    readonly signingKey: SigningKey,
  ) {}

  get nowMs(): number {
    return this.clock.now().getTime();
  }
}
