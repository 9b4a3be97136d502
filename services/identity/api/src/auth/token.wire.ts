/** Requests for tokens and tokens as Keystone words them. */
import { type Static, Type } from 'typebox';
import { fail } from '#libs/kernel';
import type { TokenClaims } from '#libs/platform/policy';
import { body, isoMicros } from '#libs/wire';
import type { Ref, ScopeRequest } from '#services/identity/domain';

const Word = Type.String({ maxLength: 255 });
const DomainRef = Type.Object({ id: Type.Optional(Word), name: Type.Optional(Word) });
const NamedRef = Type.Object({
  id: Type.Optional(Word),
  name: Type.Optional(Word),
  domain: Type.Optional(DomainRef),
});
const Secret = Type.String({ maxLength: 8_192 });

const Identity = Type.Object({
  methods: Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 8 }),
  password: Type.Optional(
    Type.Object({
      user: Type.Object({
        id: Type.Optional(Word),
        name: Type.Optional(Word),
        domain: Type.Optional(DomainRef),
        password: Secret,
      }),
    }),
  ),
  token: Type.Optional(Type.Object({ id: Secret })),
  application_credential: Type.Optional(
    Type.Object({
      id: Type.Optional(Word),
      name: Type.Optional(Word),
      secret: Secret,
      user: Type.Optional(NamedRef),
    }),
  ),
});

const Scope = Type.Union([
  Type.Literal('unscoped'),
  Type.Object({
    project: Type.Optional(NamedRef),
    domain: Type.Optional(DomainRef),
    system: Type.Optional(Type.Object({ all: Type.Literal(true) })),
    unscoped: Type.Optional(Type.Object({})),
    'OS-TRUST:trust': Type.Optional(Type.Object({ id: Word })),
  }),
]);

const AuthBody = Type.Object({
  auth: Type.Object({ identity: Identity, scope: Type.Optional(Scope) }),
});

export type AuthIdentity = Static<typeof Identity>;
export type AuthBody = Static<typeof AuthBody>;
export const authBody = body(AuthBody);

interface Loose {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly domain?: { readonly id?: string | undefined; readonly name?: string | undefined } | undefined;
}

/** A reference by id, or by name within a domain. Throws `invalid` where it says too little. */
export function refOf(ref: Loose, what: string): Ref {
  if (ref.id !== undefined) return { id: ref.id };
  if (ref.name === undefined) throw fail.invalid(`Expecting to find id or name in ${what}.`);
  const { id, name } = ref.domain ?? {};
  if (id !== undefined) return { name: ref.name, domain: { id } };
  if (name === undefined) throw fail.invalid(`Expecting to find domain in ${what}.`);
  return { name: ref.name, domain: { name } };
}

export type WantedScope = ScopeRequest | { readonly kind: 'trust'; readonly id: string };

export function scopeOf(scope: AuthBody['auth']['scope']): WantedScope {
  if (scope === undefined) return { kind: 'default' };
  if (scope === 'unscoped') return { kind: 'unscoped' };
  const kinds = ['project', 'domain', 'system', 'unscoped', 'OS-TRUST:trust'] as const;
  if (kinds.filter((kind) => scope[kind] !== undefined).length !== 1)
    throw fail.invalid('The scope must be one of project, domain, system, OS-TRUST:trust or unscoped.');
  if (scope.project) return { kind: 'project', ref: refOf(scope.project, 'scope.project') };
  if (scope.domain) return { kind: 'domain', ref: domainRef(scope.domain) };
  if (scope.system) return { kind: 'system' };
  const trust = scope['OS-TRUST:trust'];
  return trust ? { kind: 'trust', id: trust.id } : { kind: 'unscoped' };
}

function domainRef(ref: Static<typeof DomainRef>): Ref {
  if (ref.id !== undefined) return { id: ref.id };
  if (ref.name !== undefined) return { name: ref.name };
  throw fail.invalid('Expecting to find id or name in scope.domain.');
}

/** The body of a token as JSON text. The catalog comes as text that was made once for many tokens. */
export function tokenJson(claims: TokenClaims, catalogJson: string | undefined): Buffer {
  const scoped = claims.project ?? claims.domain ?? claims.system;
  const text = JSON.stringify({ token: tokenBody(claims) });
  if (!scoped || catalogJson === undefined) return Buffer.from(text);
  return Buffer.from(`${text.slice(0, -2)},"catalog":${catalogJson}}}`);
}

function tokenBody(claims: TokenClaims) {
  const { project, domain, applicationCredential, trust } = claims;
  return {
    methods: claims.methods,
    user: {
      domain: { id: claims.userDomainId, name: claims.userDomainName },
      id: claims.userId,
      name: claims.userName,
      password_expires_at: null,
    },
    audit_ids: claims.auditIds,
    expires_at: isoMicros(new Date(claims.expiresAt)),
    issued_at: isoMicros(new Date(claims.issuedAt)),
    ...(project && {
      project: { domain: { id: project.domainId, name: project.domainName }, id: project.id, name: project.name },
      is_domain: false,
    }),
    ...(domain && { domain: { id: domain.id, name: domain.name } }),
    ...(claims.system && { system: { all: true } }),
    ...((project || domain || claims.system) && { roles: claims.roles.map(([id, name]) => ({ id, name })) }),
    ...(applicationCredential && { application_credential: applicationCredential }),
    ...(trust && {
      'OS-TRUST:trust': {
        id: trust.id,
        impersonation: trust.impersonation,
        trustor_user: { id: trust.trustorUserId },
        trustee_user: { id: trust.trusteeUserId },
      },
    }),
  };
}
