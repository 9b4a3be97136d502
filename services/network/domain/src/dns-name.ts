/** Host names and domains (RFC 952, RFC 1123), as they go into DNS. They compare without case, so they are kept in lower case. */
import { badAttribute } from './faults.js';

export const MOST_NAME = 255;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Why the text is no name, or null. A dot at its end says that it is complete. */
function flawOf(name: string): string | null {
  const labels = name.replace(/\.$/, '').split('.');
  if (name.length > MOST_NAME) return `it is longer than ${MOST_NAME} characters`;
  if (!labels.every((label) => LABEL.test(label))) return 'each part must be 1 to 63 letters, digits and inner hyphens';
  return labels.length > 1 && /^\d+$/.test(labels.at(-1)!) ? 'its last part must not be a number' : null;
}

/** A host's name, with or without a domain; empty for none. */
export function checkedDnsName(text: string): string {
  const name = text.toLowerCase();
  const flaw = name === '' ? null : flawOf(name);
  if (flaw) throw badAttribute('dns_name', `'${text}' is not a valid host name: ${flaw}.`);
  return name;
}

/** A domain, which must be complete: with a dot at its end; empty for none. */
export function checkedDnsDomain(text: string): string {
  const name = text.toLowerCase();
  if (name === '') return name;
  if (!name.endsWith('.')) throw badAttribute('dns_domain', `'${text}' is not a FQDN: it must end in a dot.`);
  // Room for at least a letter and a dot before it.
  const flaw = name.length > MOST_NAME - 2 ? 'it leaves no room for a host' : flawOf(name);
  if (flaw) throw badAttribute('dns_domain', `'${text}' is not a valid domain: ${flaw}.`);
  return name;
}

export interface DnsAssignment {
  readonly ip: string;
  readonly hostname: string;
  readonly fqdn: string;
}

/** Under which name each address can be found. Ports without a name are called after their addresses. */
export function dnsAssignment(name: string, addresses: readonly string[], domain: string): DnsAssignment[] {
  return addresses.map((ip) => {
    const hostname = name === '' ? `host-${ip.replace(/[.:]/g, '-')}` : name;
    const fqdn = hostname.endsWith('.') || domain === '' ? hostname : `${hostname}.${domain}`;
    return { ip, hostname, fqdn };
  });
}

/** The domain of ports whose network names none. */
export const DEFAULT_DOMAIN = 'openstacklocal.';
