/**
 * Microversions as numbers that compare: `2.37` is 2037. Handlers never see one; only schemas, views and the registrar do.
 * The rules of the headers are OpenStack's: a malformed version is 400, an unsupported one 406, every answer echoes.
 */
import { fail } from '#libs/kernel';

export type Microversion = number;

const PATTERN = /^([1-9]\d*)\.([0-9]|[1-9]\d{1,2})$/;
const NUMBERS = /^\d+\.\d+$/;

/** `2.37` -> 2037. Throws a plain Error: for tables in our own source. */
export function mv(text: string): Microversion {
  const match = PATTERN.exec(text);
  if (!match) throw new Error(`not a microversion: ${text}`);
  return Number(match[1]) * 1000 + Number(match[2]);
}

export const mvText = (version: Microversion): string => `${Math.floor(version / 1000)}.${version % 1000}`;

export interface VersionSpace {
  /** As in `OpenStack-API-Version: compute 2.37`. */
  readonly serviceType: string;
  /** The older header, such as `X-OpenStack-Nova-API-Version`. */
  readonly legacyHeader?: string;
  readonly min: string;
  readonly max: string;
  /** How an API words that it does not understand a version; any two numbers are a version for it, if an unsupported one. */
  readonly malformed?: (asked: string) => string;
  readonly unsupported?: (asked: string) => string;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The version a request asks for; the minimum when it does not say. */
export function negotiate(space: VersionSpace, headers: Headers): Microversion {
  const asked = askedFor(space, headers);
  if (asked === undefined) return mv(space.min);
  if (asked === 'latest') return mv(space.max);
  if (!(space.malformed ? NUMBERS : PATTERN).test(asked)) {
    const words = `API Version String ${asked} is of invalid format. Must be of format MajorNum.MinorNum.`;
    throw fail.invalid(space.malformed?.(asked) ?? words);
  }
  const version = PATTERN.test(asked) ? mv(asked) : 0;
  if (version < mv(space.min) || version > mv(space.max)) {
    const words = `Version ${asked} is not supported by the API. Minimum is ${space.min} and maximum is ${space.max}.`;
    throw fail.notAcceptable(space.unsupported?.(asked) ?? words);
  }
  return version;
}

function askedFor(space: VersionSpace, headers: Headers): string | undefined {
  const modern = headers['openstack-api-version'];
  for (const part of (Array.isArray(modern) ? modern.join(',') : (modern ?? '')).split(',')) {
    const [type, version] = part.trim().split(/\s+/);
    if (type?.toLowerCase() === space.serviceType && version) return version.toLowerCase();
  }
  const legacy = space.legacyHeader ? headers[space.legacyHeader.toLowerCase()] : undefined;
  return (Array.isArray(legacy) ? legacy[0] : legacy)?.trim().toLowerCase();
}

/** What every answer carries, errors included. */
export function versionHeaders(space: VersionSpace, version: Microversion | undefined): Record<string, string> {
  const names = ['OpenStack-API-Version', ...(space.legacyHeader ? [space.legacyHeader] : [])];
  const headers: Record<string, string> = { Vary: names.join(', ') };
  if (version === undefined) return headers;
  headers['OpenStack-API-Version'] = `${space.serviceType} ${mvText(version)}`;
  if (space.legacyHeader) headers[space.legacyHeader] = mvText(version);
  return headers;
}
