import { fail } from '#libs/kernel';
import type { TokenVerifier } from '#libs/platform/policy';
import { MethodStrategy, type Proof } from './passport.js';
import type { AuthIdentity } from './token.wire.js';

/** A token that was given before. */
export class TokenStrategy extends MethodStrategy {
  override readonly name = 'token';

  constructor(private readonly verifier: TokenVerifier) {
    super();
  }

  protected override async prove(identity: AuthIdentity): Promise<Proof> {
    if (!identity.token) throw fail.invalid('Expecting to find token in identity.');
    const { token, claims } = this.verifier.verify(identity.token.id);
    // A trust's token belongs to its trustee, whomever it impersonates; it can not be exchanged anyway.
    return { method: 'token', userId: claims.userId, token, claims };
  }
}
