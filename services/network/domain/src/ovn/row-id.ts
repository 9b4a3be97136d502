/**
 * Ids of rows in OVN that stand for a relation and not for one resource: such as the translation of one subnet's
 * addresses by one router. They follow from the ids of both, so they are the same whenever they are worked out.
 */

/** Tells relations of the same resources apart. Numbers are never used again for something else. */
export const RELATION = {
  routerPort: 1,
  snat: 2,
  staticRoute: 3,
  defaultRoute: 4,
  gatewayChassis: 5,
  portForwarding: 6,
  localnet: 7,
  qosIngress: 8,
  qosEgress: 9,
  qosFloatingIn: 10,
  qosFloatingOut: 11,
  addressSetV4: 12,
  addressSetV6: 13,
  routerPolicy: 14,
  dns: 15,
  hairpin: 16,
  qosGatewayIn: 17,
  qosGatewayOut: 18,
  portDhcpV4: 40,
  portDhcpV6: 41,
} as const;
export type Relation = (typeof RELATION)[keyof typeof RELATION];

const bytesOf = (id: string): number[] =>
  (id.replaceAll('-', '').match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));

/** FNV-1a over a text, spread over sixteen bytes: for parts of a relation that are no ids. */
function bytesOfText(text: string): number[] {
  const bytes = new Array<number>(16).fill(0);
  let hash = 0x811c9dc5;
  for (let round = 0; round < 16; round++) {
    for (const character of `${round}:${text}`) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
    bytes[round] = (hash >>> 13) & 0xff;
  }
  return bytes;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id of the row for a relation between the parts (ids or texts), whose order counts. */
export function rowId(relation: Relation, ...parts: readonly string[]): string {
  const mixed = new Array<number>(16).fill(0);
  for (const [index, part] of parts.entries()) {
    const bytes = UUID.test(part) ? bytesOf(part) : bytesOfText(part);
    for (let i = 0; i < 16; i++) mixed[i] = mixed[i]! ^ bytes[(i + 3 * index) % 16]!;
  }
  for (let i = 0; i < 16; i++) mixed[i] = mixed[i]! ^ ((relation * 0x9d + i * 0x35) & 0xff);
  // Version 8 (of our own making) and the usual variant.
  mixed[6] = (mixed[6]! & 0x0f) | 0x80;
  mixed[8] = (mixed[8]! & 0x3f) | 0x80;
  const hex = mixed.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
