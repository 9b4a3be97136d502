/**
 * Every write goes through here. The closure changes rows and says what that takes away; the revocations and the new
 * directory version are written last in the same transaction, because their row of the ledger is locked until commit.
 */
import { type Clock, currentContext } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { LONGEST_TOKEN_MS } from '#libs/platform/policy';
import type { RevocationDraft } from '#services/identity/domain';
import { REVOKED, type RevocationLog } from './revocation-log.js';

/** Notified after a change of the directory. */
export const DIRECTORY = 'identity_directory';

export interface Change {
  /** What tokens lose by this change. */
  revoke(...drafts: readonly RevocationDraft[]): void;
  /** Roles, implications, services or endpoints change. */
  directory(): void;
}

export class Changes {
  constructor(
    private readonly db: Db,
    private readonly log: RevocationLog,
    private readonly clock: Clock,
  ) {}

  /** `reason` names the operation for the operator. When it resolves, this process refuses what was revoked. */
  async run<T>(reason: string, body: (tx: Tx, change: Change) => Promise<T>): Promise<T> {
    let revoked = false;
    const value = await this.db.tx(async (tx) => {
      const drafts: RevocationDraft[] = [];
      let directory = false;
      const result = await body(tx, {
        revoke: (...more) => drafts.push(...more),
        directory: () => {
          directory = true;
        },
      });
      if (directory) {
        await tx.exec('update ledger set directory_version = directory_version + 1');
        tx.notify(DIRECTORY);
      }
      await this.#write(tx, reason, unique(drafts));
      revoked = drafts.length > 0;
      return result;
    });
    // The change holds already; where the database has gone away since, the beat will bring the news.
    if (revoked) await this.log.pull().catch(() => undefined);
    return value;
  }

  async #write(tx: Tx, reason: string, drafts: readonly RevocationDraft[]): Promise<void> {
    if (!drafts.length) return;
    const ledger = await tx.one<{ last: number }>(
      'update ledger set revocation_seq = revocation_seq + $1 returning revocation_seq as last',
      [drafts.length],
    );
    const first = (ledger?.last ?? 0) - drafts.length + 1;
    const nowMs = this.clock.now().getTime();
    const column = (of: (draft: RevocationDraft) => unknown) => drafts.map((draft) => of(draft) ?? null);
    await tx.exec(
      `insert into revocations (seq, issued_before_ms, until_ms, audit_id, user_id, project_id, domain_id, role_id,
         delegation_id, reason, request_id)
       select $1 + ordinality - 1, $2, until_ms, audit_id, user_id, project_id, domain_id, role_id, delegation_id, $3, $4
       from unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
         with ordinality as d (until_ms, audit_id, user_id, project_id, domain_id, role_id, delegation_id, ordinality)`,
      [
        first,
        nowMs,
        reason,
        currentContext()?.requestId ?? null,
        column((d) => d.untilMs ?? nowMs + LONGEST_TOKEN_MS),
        column((d) => d.auditId),
        column((d) => d.userId),
        column((d) => d.projectId),
        column((d) => d.domainId),
        column((d) => d.roleId),
        column((d) => d.delegationId),
      ],
    );
    tx.notify(REVOKED);
  }
}

const unique = (drafts: readonly RevocationDraft[]): RevocationDraft[] => [
  ...new Map(drafts.map((draft) => [JSON.stringify(draft), draft])).values(),
];
