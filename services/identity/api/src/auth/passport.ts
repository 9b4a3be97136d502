/**
 * Passport's strategies without Express: one for each method of authentication. Passport gives a strategy its outcomes
 * (`success`, `fail`, `error`) for each attempt on an object of its own, and so does this.
 */
import passport from 'passport';
import { isFailure } from '#libs/kernel';
import type { TokenClaims } from '#libs/platform/policy';
import type { KnownCredential } from '#services/identity/data';
import { refused } from '#services/identity/domain';
import type { AuthIdentity } from './token.wire.js';

/** What a method has shown, kept so that it can be compared with the state that the token is made from. */
export type Proof =
  | { readonly method: 'password'; readonly userId: string; readonly passwordHash: string }
  | { readonly method: 'token'; readonly userId: string; readonly token: string; readonly claims: TokenClaims }
  | { readonly method: 'application_credential'; readonly userId: string; readonly known: KnownCredential };

interface Outcomes {
  success(proof: Proof): void;
  fail(challenge?: unknown): void;
  error(error: unknown): void;
}

/**
 * A method of authentication as a passport strategy. Subclasses prove, or throw `unauthorized`; as an attempt is an object
 * that inherits from the strategy, they can not use `#private` members.
 */
export abstract class MethodStrategy extends passport.Strategy {
  abstract override readonly name: Proof['method'];
  protected abstract prove(identity: AuthIdentity): Promise<Proof>;

  override authenticate(this: this & Outcomes, request: unknown): void {
    this.prove(request as AuthIdentity).then(
      (proof) => this.success(proof),
      (error: unknown) => (isFailure(error, 'unauthorized') ? this.fail(error) : this.error(error)),
    );
  }
}

export class Methods {
  readonly #strategies: ReadonlyMap<string, MethodStrategy>;

  constructor(strategies: readonly MethodStrategy[]) {
    this.#strategies = new Map(strategies.map((strategy) => [strategy.name, strategy]));
  }

  /** Runs every method that the request names, one after the other. Throws `unauthorized` unless all agree on a user. */
  async prove(identity: AuthIdentity): Promise<readonly [Proof, ...Proof[]]> {
    const proofs: Proof[] = [];
    for (const method of new Set(identity.methods)) {
      const strategy = this.#strategies.get(method);
      if (!strategy) throw refused();
      proofs.push(await attempt(strategy, identity));
    }
    const [proof, ...others] = proofs;
    if (!proof || others.some((other) => other.userId !== proof.userId)) throw refused();
    return [proof, ...others];
  }
}

function attempt(strategy: MethodStrategy, identity: AuthIdentity): Promise<Proof> {
  return new Promise((resolve, reject) => {
    const outcomes: Outcomes = { success: resolve, fail: () => reject(refused()), error: reject };
    const own = Object.assign(Object.create(strategy) as MethodStrategy & Outcomes, outcomes);
    own.authenticate(identity);
  });
}
