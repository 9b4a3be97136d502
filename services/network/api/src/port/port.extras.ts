/** What clients say of a port beyond its addresses, its place and its filtering, checked. */
import {
  badAttribute,
  checkDhcpOptions,
  checkedDnsDomain,
  checkedDnsName,
  type DhcpOptionWish,
  mergedDhcpOptions,
  NO_EXTRAS,
  type Port,
  type PortExtras,
} from '#services/network/domain';
import { isOn, toNumber } from '../values.wire.js';
import type { PortChangeBody } from './port.wire.js';

const MOST_PROFILE = 4095;

type Said = Partial<PortChangeBody>;

function dhcpWishes(item: Said): DhcpOptionWish[] {
  const wishes = (item.extra_dhcp_opts ?? []).map((option): DhcpOptionWish => {
    const version = toNumber(option.ip_version) ?? 4;
    if (version !== 4 && version !== 6) throw badAttribute('extra_dhcp_opts', `ip_version ${version} is not 4 or 6.`);
    return { name: option.opt_name, value: option.opt_value, version };
  });
  checkDhcpOptions(wishes);
  return wishes;
}

export function newExtras(item: Said): PortExtras {
  return {
    dnsName: checkedDnsName(item.dns_name ?? ''),
    dnsDomain: checkedDnsDomain(item.dns_domain ?? ''),
    dhcpOptions: mergedDhcpOptions([], dhcpWishes(item)),
    uplinkStatus: isOn(item.propagate_uplink_status) ?? NO_EXTRAS.uplinkStatus,
    dataPlaneStatus: null,
  };
}

type ExtrasChange = { readonly [K in keyof PortExtras]: PortExtras[K] | undefined };

/** Undefined for what the client does not speak of. */
export function changedExtras(item: Said, port: Port): ExtrasChange {
  const { dns_name, dns_domain, extra_dhcp_opts, data_plane_status } = item;
  return {
    dnsName: dns_name === undefined ? undefined : checkedDnsName(dns_name ?? ''),
    dnsDomain: dns_domain === undefined ? undefined : checkedDnsDomain(dns_domain ?? ''),
    dhcpOptions: extra_dhcp_opts == null ? undefined : mergedDhcpOptions(port.dhcpOptions, dhcpWishes(item)),
    uplinkStatus: isOn(item.propagate_uplink_status),
    dataPlaneStatus: data_plane_status,
  };
}

/** The profile of a binding; one that can not be kept is refused. */
export function checkedProfile(item: Said): Readonly<Record<string, unknown>> | undefined {
  const profile = item['binding:profile'];
  if (profile === undefined) return undefined;
  const text = JSON.stringify(profile ?? {});
  if (text.length > MOST_PROFILE)
    throw badAttribute('binding:profile', `it is longer than ${MOST_PROFILE} characters.`);
  if (text.includes('\\u0000')) throw badAttribute('binding:profile', 'it holds a NUL.');
  return profile ?? {};
}
