/**
 * The page that shows a screen, and noVNC's own files: all of them found at start, so that a request chooses from a list
 * and never names a file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';

export interface Page {
  readonly type: string;
  readonly bytes: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'self'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

/** By the path of a request. */
export function readPages(): ReadonlyMap<string, Page> {
  const novnc = join(dirname(createRequire(import.meta.url).resolve('@novnc/novnc')), '..');
  return new Map([
    ...filesOf(join(import.meta.dirname, '../pages'), '/'),
    ...filesOf(join(novnc, 'core'), '/novnc/core/'),
    ...filesOf(join(novnc, 'vendor'), '/novnc/vendor/'),
  ]);
}

function filesOf(folder: string, prefix: string): [string, Page][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry): [string, Page][] => {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) return [];
    const path = join(entry.parentPath, entry.name);
    return [[prefix + relative(folder, path), { type, bytes: readFileSync(path) }]];
  });
}
