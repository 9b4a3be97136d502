/**
 * The one thing that a guest may write: a password, encrypted for its owner. Compute keeps the first that comes; nothing of
 * it stays here but what the spec then says.
 */
import type { IncomingMessage } from 'node:http';
import { isFailure } from '#libs/kernel';
import { type Answer, OPENSTACK_VERSIONS_PATTERN, text } from './answers.js';
import type { ServerSpec } from './documents.js';

/** Keeps the password of that server. Throws `conflict` where it has one, `unavailable` where compute is not reached. */
export type PasswordPost = (serverId: string, password: string) => Promise<void>;

/** Bytes, as upstream. */
const MOST = 1_020;

export const isPasswordPath = (path: string): boolean => OPENSTACK_VERSIONS_PATTERN.test(path);

const refused = (status: Answer['status'], why: string): Answer => ({ ...text(`${why}\n`), status });

export async function takePassword(spec: ServerSpec, request: IncomingMessage, post: PasswordPost): Promise<Answer> {
  if (spec.guestPassword) return refused(409, '409 Conflict');
  const bytes = await bodyOf(request);
  if (!bytes) return refused(400, 'Request is too large.');
  const password = textOf(bytes);
  if (password === undefined) return refused(400, 'The password is not text.');
  try {
    if (password) await post(spec.serverId, password);
    return text('');
  } catch (error) {
    if (isFailure(error, 'conflict')) return refused(409, '409 Conflict');
    if (isFailure(error, 'unavailable')) return refused(503, 'The password can not be kept now; try again.');
    throw error;
  }
}

/** Undefined: it is too large. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MOST) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function textOf(bytes: Buffer): string | undefined {
  try {
    const found = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return found.includes('\0') ? undefined : found;
  } catch {
    return undefined;
  }
}
