/** What a port is called on its network. OVN answers guests' questions about such names, and passes all others on. */
import { parseIp } from '../address.js';
import { DEFAULT_DOMAIN } from '../dns-name.js';
import { METADATA_OWNER, type Network, type Port } from '../model.js';
import { KIND, mapOf, type NbTables, NETWORK, OWNER } from './rows.js';

/** As checked at the edge; compute's names come without that check. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,253}[a-z0-9])?$/;

/** Null for a port without a name, or without an address. */
export function dnsRow(port: Port, network: Pick<Network, 'dnsDomain'>): NbTables['DNS'] | null {
  const name = (port.dnsName || port.hostname).toLowerCase().replace(/\.$/, '');
  const addresses = port.fixedIps.map((ip) => ip.address);
  if (!NAME.test(name) || addresses.length === 0 || port.deviceOwner === METADATA_OWNER) return null;
  const domain = (port.dnsDomain || network.dnsDomain || DEFAULT_DOMAIN).replace(/\.$/, '');
  const whole = port.dnsName.endsWith('.') ? name : `${name}.${domain}`;
  const records = new Map([name, whole].map((key) => [key, addresses.join(' ')]));
  for (const address of addresses) records.set(reverseName(address), whole);
  const external = { [KIND]: 'port_dns', [NETWORK]: port.networkId, [OWNER]: port.id };
  return { records, options: mapOf({}), external_ids: mapOf(external) };
}

/** The name under which an address is looked up. */
function reverseName(address: string): string {
  const { version, value } = parseIp(address)!;
  if (version === 4) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const nibbles = value.toString(16).padStart(32, '0');
  return `${[...nibbles].reverse().join('.')}.ip6.arpa`;
}
