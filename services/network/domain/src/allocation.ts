/**
 * Which addresses a port shall have. The decision is pure: it names what is to be claimed; the database claims it or
 * refuses, since only it knows who holds what.
 */
import { canonicalIp, contains, formatIp, lastOf, type Prefix, parseIp, parsePrefix } from './address.js';
import { INTERFACE_OWNER } from './device-owner.js';
import { autoAddressed, badAttribute, invalidInput, noServiceSubnet, notOnNetwork, notOnSubnet } from './faults.js';
import { eui64 } from './mac.js';
import type { FixedIp, Subnet } from './model.js';
import { isAuto } from './subnet.js';

/** One entry of a client's `fixed_ips`. */
export interface IpWish {
  readonly subnetId?: string | undefined;
  readonly address?: string | undefined;
}

export type Claim =
  /** This very address: the client named it, the port already has it, or it follows from the port's MAC. */
  | { readonly kind: 'given'; readonly subnetId: string; readonly address: string }
  /** Any address of the first of these subnets that has one left. */
  | { readonly kind: 'any'; readonly subnetIds: readonly string[] };

const prefixOf = (subnet: Subnet): Prefix => parsePrefix(subnet.cidr)!;

function autoClaim(subnet: Subnet, mac: string): Claim {
  return { kind: 'given', subnetId: subnet.id, address: eui64(prefixOf(subnet), mac) };
}

/** Addresses of a port for which the client named none: one of each version, and one in every self-addressed subnet. */
function claimsByDefault(subnets: readonly Subnet[], mac: string): Claim[] {
  const claims: Claim[] = [];
  const allotted = subnets.filter((subnet) => !isAuto(subnet));
  for (const version of [4, 6]) {
    const subnetIds = allotted.filter((subnet) => subnet.version === version).map((subnet) => subnet.id);
    if (subnetIds.length) claims.push({ kind: 'any', subnetIds });
  }
  return [...claims, ...subnets.filter(isAuto).map((subnet) => autoClaim(subnet, mac))];
}

/** True for an address that a host in the subnet may have. */
export function isHostAddress(subnet: Subnet, address: string): boolean {
  const prefix = prefixOf(subnet);
  const ip = parseIp(address);
  if (!ip || !contains(prefix, ip)) return false;
  if (prefix.version === 6) return ip.value !== prefix.first || prefix.length === 128;
  return prefix.length >= 31 || (ip.value !== prefix.first && ip.value !== lastOf(prefix));
}

function subnetOf(wish: IpWish, subnets: readonly Subnet[], networkId: string): Subnet | undefined {
  if (wish.subnetId === undefined) return undefined;
  const subnet = subnets.find((known) => known.id === wish.subnetId);
  if (subnet) return subnet;
  throw invalidInput(
    `Failed to create port on network ${networkId}, because fixed_ips included invalid subnet ${wish.subnetId}.`,
  );
}

/** A router's leg is in the subnets that it is told, at the addresses that their hosts are told; others form theirs. */
const isLeg = (deviceOwner: string): boolean => deviceOwner === INTERFACE_OWNER;
const isOwnForm = (subnet: Subnet, mac: string, address: string): boolean => address === eui64(prefixOf(subnet), mac);

function claimAddress(
  wish: IpWish & { address: string },
  subnets: readonly Subnet[],
  { networkId, mac, deviceOwner }: AllocationInput,
): Claim {
  const ip = parseIp(wish.address);
  if (!ip) throw badAttribute('fixed_ips', `'${wish.address}' is not a valid IP address.`);
  const address = formatIp(ip.version, ip.value);
  const named = subnetOf(wish, subnets, networkId);
  const subnet = named ?? subnets.find((known) => isHostAddress(known, address));
  if (!subnet) throw notOnNetwork(address);
  if (!isHostAddress(subnet, address)) throw notOnSubnet(address);
  if (isAuto(subnet) && !isLeg(deviceOwner) && !isOwnForm(subnet, mac, address))
    throw autoAddressed(address, subnet.id);
  return { kind: 'given', subnetId: subnet.id, address };
}

export interface AllocationInput {
  readonly networkId: string;
  readonly subnets: readonly Subnet[];
  readonly mac: string;
  /** Undefined: the client did not say. Empty: it wants none. */
  readonly wishes: readonly IpWish[] | undefined;
  /** What the port is for: it goes to subnets for such devices first. */
  readonly deviceOwner: string;
  /** What the port has now, so that a wish for "an address of this subnet" keeps the one it has. */
  readonly current: readonly FixedIp[];
}

/** The subnets that a port may have addresses of: those for its kind of device, those for all, and where it is already. */
function openTo({ subnets, deviceOwner, current }: AllocationInput): Subnet[] {
  const own = subnets.filter((subnet) => subnet.serviceTypes.includes(deviceOwner));
  const held = new Set(current.map((ip) => ip.subnetId));
  const others = subnets.filter(
    (subnet) => !own.includes(subnet) && (subnet.serviceTypes.length === 0 || held.has(subnet.id)),
  );
  return [...own, ...others];
}

/** What is to be claimed for the port, in the order of its fixed IPs. Throws what is wrong with the wishes. */
export function claimsFor(input: AllocationInput): Claim[] {
  const { mac, wishes, networkId } = input;
  const leg = isLeg(input.deviceOwner);
  const subnets = leg ? input.subnets : openTo(input);
  if (subnets.length === 0 && input.subnets.length > 0 && wishes?.length !== 0)
    throw noServiceSubnet(networkId, input.deviceOwner);
  if (wishes === undefined) return claimsByDefault(subnets, mac);
  const named = new Set(wishes.map((wish) => canonicalIp(wish.address ?? '')));
  const spare = input.current.filter((ip) => !named.has(ip.address));
  const claims = wishes.map((wish): Claim => {
    if (wish.address !== undefined) return claimAddress({ ...wish, address: wish.address }, subnets, input);
    const subnet = subnetOf(wish, subnets, networkId);
    if (!subnet) throw invalidInput('IP allocation requires subnet_id or ip_address.');
    if (isAuto(subnet) && !leg) return autoClaim(subnet, mac);
    const held = spare.findIndex((ip) => ip.subnetId === subnet.id);
    if (held < 0) return { kind: 'any', subnetIds: [subnet.id] };
    return { kind: 'given', ...spare.splice(held, 1)[0]! };
  });
  return distinct([...claims, ...(leg ? [] : impliedClaims(claims, subnets, mac, wishes.length))]);
}

/** A port with addresses also gets those that its guest will take by itself. */
function impliedClaims(claims: readonly Claim[], subnets: readonly Subnet[], mac: string, wanted: number): Claim[] {
  if (wanted === 0) return [];
  const taken = new Set(claims.flatMap((claim) => (claim.kind === 'given' ? [claim.subnetId] : claim.subnetIds)));
  return subnets.filter((subnet) => isAuto(subnet) && !taken.has(subnet.id)).map((subnet) => autoClaim(subnet, mac));
}

function distinct(claims: readonly Claim[]): Claim[] {
  const given = claims.flatMap((claim) => (claim.kind === 'given' ? [claim.address] : []));
  const twice = given.find((address, index) => given.indexOf(address) !== index);
  if (twice) throw invalidInput(`Duplicate IP address '${twice}'.`);
  return [...claims];
}
