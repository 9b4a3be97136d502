import { fail } from '#libs/kernel';
import type { AuthReads, Secrets } from '#services/identity/data';
import { refused } from '#services/identity/domain';
import { MethodStrategy, type Proof } from './passport.js';
import { type AuthIdentity, refOf } from './token.wire.js';

/**
 * A password of a user. Unknown, disabled and passwordless users cost the same look-up and the same argon2 as a wrong
 * password and get the same answer; whether the user is enabled is judged later, with everything else about the token.
 */
export class PasswordStrategy extends MethodStrategy {
  override readonly name = 'password';

  constructor(
    private readonly auth: AuthReads,
    private readonly secrets: Secrets,
  ) {
    super();
  }

  protected override async prove(identity: AuthIdentity): Promise<Proof> {
    if (!identity.password) throw fail.invalid('Expecting to find password in identity.');
    const { user } = identity.password;
    const found = await this.auth.identify(refOf(user, 'identity.password.user'));
    const holds = await this.secrets.verify(user.password, found?.passwordHash);
    if (!holds || !found?.passwordHash) throw refused();
    return { method: 'password', userId: found.userId, passwordHash: found.passwordHash };
  }
}
