import type { Clock } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Changes } from './changes.js';

/** How long after their expiry tokens may still be asked about. */
export const EXPIRED_GRACE_MS = 48 * 3_600_000;

export class Tokens {
  constructor(
    private readonly db: Db,
    private readonly changes: Changes,
    private readonly clock: Clock,
  ) {}

  /** Ends one token. */
  async revoke(auditId: string, expiresAtMs: number): Promise<void> {
    await this.changes.run('revoke_token', async (_tx, change) =>
      change.revoke({ auditId, untilMs: Math.max(expiresAtMs, this.clock.now().getTime()) + 1 }),
    );
  }

  /** Drops what can concern no token that anyone may ask about. Returns how many rows. */
  prune(): Promise<number> {
    return this.db.exec('delete from revocations where until_ms < $1', [this.clock.now().getTime() - EXPIRED_GRACE_MS]);
  }
}
