/** What a port is for, where it is not a guest's: such ports come and go with what they serve, not by the port API. */
import { METADATA_OWNER } from './model.js';

/** A router's leg in a subnet. */
export const INTERFACE_OWNER = 'network:router_interface';
/** A router's leg in an external network. */
export const GATEWAY_OWNER = 'network:router_gateway';
/** Holds the address of a floating IP; nothing is ever plugged into it. */
export const FLOATING_OWNER = 'network:floatingip';

export const isRouterPort = (port: { readonly deviceOwner: string }): boolean =>
  port.deviceOwner === INTERFACE_OWNER || port.deviceOwner === GATEWAY_OWNER;

const SERVED: readonly string[] = [METADATA_OWNER, INTERFACE_OWNER, GATEWAY_OWNER, FLOATING_OWNER];

/** A port of a server of DHCP. OVN answers without one, so that these are only what a client makes by hand. */
export const DHCP_OWNER = 'network:dhcp';
/** Ports of these owners keep nobody from deleting their network or subnet: they go with it. */
export const LEAVING_OWNERS: readonly string[] = [METADATA_OWNER, DHCP_OWNER];

/** True for an owner that only this service gives to ports. */
export const isServiceOwner = (owner: string): boolean => SERVED.includes(owner);
