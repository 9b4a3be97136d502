import { fail } from '#libs/kernel';
import type { ApplicationCredentials, Secrets } from '#services/identity/data';
import { refused } from '#services/identity/domain';
import { MethodStrategy, type Proof } from './passport.js';
import { type AuthIdentity, refOf } from './token.wire.js';

/** An application credential by id, or by name and user. Unknown ones cost as much as wrong secrets. */
export class ApplicationCredentialStrategy extends MethodStrategy {
  override readonly name = 'application_credential';

  constructor(
    private readonly credentials: ApplicationCredentials,
    private readonly secrets: Secrets,
  ) {
    super();
  }

  protected override async prove(identity: AuthIdentity): Promise<Proof> {
    const given = identity.application_credential;
    if (!given) throw fail.invalid('Expecting to find application_credential in identity.');
    const known = await this.find(given);
    const holds = await this.secrets.verify(given.secret, known?.secretHash);
    if (!holds || !known) throw refused();
    return { method: 'application_credential', userId: known.credential.userId, known };
  }

  private find(given: NonNullable<AuthIdentity['application_credential']>) {
    if (given.id !== undefined) return this.credentials.known(given.id);
    if (given.name === undefined) throw fail.invalid('Expecting to find id or name in application_credential.');
    if (!given.user) throw fail.invalid('Expecting to find user in application_credential.');
    return this.credentials.knownByName(given.name, refOf(given.user, 'application_credential.user'));
  }
}
