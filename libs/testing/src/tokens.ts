/** Tokens of a test's own making, and a verifier that knows their key: identity in a service's integration tests. */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { systemClock } from '#libs/kernel';
import { mintToken, TokenVerifier } from '#libs/platform/policy';

const KEY_ID = 'k';
const HOUR_MS = 3_600_000;
const HEARTBEAT_MS = 500;

/** Of the default domain; names are ids. */
export interface TokenHolder {
  readonly user: string;
  readonly project: string;
  readonly roles: readonly string[];
}

export class TestTokens {
  readonly verifier = new TokenVerifier(systemClock);
  readonly #keys = generateKeyPairSync('ed25519');
  readonly #minted = new Map<string, string>();
  readonly #heart: NodeJS.Timeout;

  constructor() {
    this.verifier.setKeys([this.key]);
    // Identity is heard from as long as the test runs.
    this.verifier.heard();
    this.#heart = setInterval(() => this.verifier.heard(), HEARTBEAT_MS);
    this.#heart.unref();
  }

  /** What a verifier elsewhere needs to know. */
  get key(): { readonly kid: string; readonly publicPem: string } {
    return { kid: KEY_ID, publicPem: this.#keys.publicKey.export({ type: 'spki', format: 'pem' }).toString() };
  }

  /** The same token each time; it holds for an hour. */
  of({ user, project, roles }: TokenHolder): string {
    const key = `${user} ${project} ${roles.join()}`;
    const token = this.#minted.get(key) ?? this.#mint(user, project, roles);
    this.#minted.set(key, token);
    return token;
  }

  close(): void {
    clearInterval(this.#heart);
  }

  #mint(user: string, project: string, roles: readonly string[]): string {
    const now = Date.now();
    return mintToken(
      {
        userId: user,
        userName: user,
        userDomainId: 'default',
        userDomainName: 'Default',
        project: { id: project, name: project, domainId: 'default', domainName: 'Default' },
        roles: roles.map((name) => [`id-${name}`, name] as const),
        methods: ['password'],
        issuedAt: now,
        expiresAt: now + HOUR_MS,
        auditIds: [randomUUID()],
      },
      KEY_ID,
      this.#keys.privateKey,
    );
  }
}

const IMPLIED: Readonly<Record<string, readonly string[]>> = {
  admin: ['admin', 'manager', 'member', 'reader'],
  manager: ['manager', 'member', 'reader'],
  member: ['member', 'reader'],
};

/** With the roles that each implies, as identity puts them into a token. */
export const withImplied = (roles: readonly string[]): string[] => [
  ...new Set(roles.flatMap((name) => IMPLIED[name] ?? [name])),
];
