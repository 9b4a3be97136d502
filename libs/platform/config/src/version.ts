import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The product's version, from the package.json above this file, compiled or not. */
export function productVersion(from = import.meta.dirname): string {
  const path = join(from, 'package.json');
  if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  if (dirname(from) === from) throw new Error('package.json is nowhere above');
  return productVersion(dirname(from));
}
