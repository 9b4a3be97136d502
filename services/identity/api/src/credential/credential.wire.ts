import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { fail } from '#libs/kernel';
import { body } from '#libs/wire';
import type { Credential } from '#services/identity/domain';
import { type AnyCall, Id, MaybeId, selfLink, wrapped } from '../resource.js';

const Kind = Type.String({ minLength: 1, maxLength: 255 });
const Blob = Type.String({ minLength: 1, maxLength: 65_535 });

const CredentialCreate = wrapped(
  'credential',
  Type.Object({ type: Kind, blob: Blob, user_id: Type.Optional(Id), project_id: Type.Optional(MaybeId) }),
);
const CredentialUpdate = wrapped(
  'credential',
  Type.Object({
    type: Type.Optional(Kind),
    blob: Type.Optional(Blob),
    user_id: Type.Optional(Id),
    project_id: Type.Optional(MaybeId),
  }),
);

export type CredentialCreate = Static<typeof CredentialCreate>;
export type CredentialUpdate = Static<typeof CredentialUpdate>;
export const credentialCreate = body(CredentialCreate);
export const credentialUpdate = body(CredentialUpdate);
export const CREDENTIAL_FIELDS = ['type', 'blob', 'user_id', 'project_id'];

export const viewCredential = (credential: Credential, call: AnyCall) => ({
  ...credential.extra,
  id: credential.id,
  user_id: credential.userId,
  project_id: credential.projectId ?? null,
  type: credential.type,
  blob: credential.blob,
  links: selfLink(call, `credentials/${credential.id}`),
});

/** The id of a pair of EC2 keys follows from its access key, which finds it; undefined for other types. */
export function ec2Id({ type, blob, project_id: projectId }: CredentialCreate['credential']): string | undefined {
  if (type !== 'ec2') return undefined;
  if (!projectId) throw fail.invalid('An ec2 credential belongs to a project.');
  return createHash('sha256').update(accessKey(blob)).digest('hex');
}

function accessKey(blob: string): string {
  try {
    const { access } = JSON.parse(blob) as { access?: unknown };
    if (typeof access === 'string' && access) return access;
  } catch {
    // Not JSON: told below.
  }
  throw fail.invalid('The blob of an ec2 credential is JSON with an access key.');
}
