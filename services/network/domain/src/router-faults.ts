/** Failures that only routers and what hangs on them know. */
import { type Failure, fail } from '#libs/kernel';
import type { Route } from './model.js';

export const routerNotFound = (id: string): Failure =>
  fail.notFound(`Router ${id} could not be found`, { type: 'RouterNotFound' });
export const badRouter = (reason: string): Failure =>
  fail.invalid(`Bad router request: ${reason}.`, { type: 'BadRequest' });
export const badFloatingIp = (reason: string): Failure =>
  fail.invalid(`Bad floatingip request: ${reason}.`, { type: 'BadRequest' });

export const routerInUse = (id: string): Failure =>
  fail.conflict(`Router ${id} still has ports`, { type: 'RouterInUse' });
export const interfaceNotFound = (router: string, port: string): Failure =>
  fail.notFound(`Router ${router} does not have an interface with id ${port}`, { type: 'RouterInterfaceNotFound' });
export const noInterfaceIn = (router: string, subnet: string): Failure =>
  fail.notFound(`Router ${router} has no interface on subnet ${subnet}`, {
    type: 'RouterInterfaceNotFoundForSubnet',
  });
export const subnetMismatch = (port: string, subnet: string): Failure =>
  fail.conflict(`Subnet on port ${port} does not match the requested subnet ${subnet}.`, {
    type: 'SubnetMismatchForPort',
  });
export const interfaceServesFloatingIp = (router: string, subnet: string): Failure =>
  fail.conflict(
    `Router interface for subnet ${subnet} on router ${router} cannot be deleted, as it is required by one or more floating IPs.`,
    { type: 'RouterInterfaceInUseByFloatingIP' },
  );
export const interfaceServesRoute = (router: string, subnet: string): Failure =>
  fail.conflict(
    `Router interface for subnet ${subnet} on router ${router} cannot be deleted, as it is required by one or more routes.`,
    { type: 'RouterInterfaceInUseByRoute' },
  );
export const gatewayServesFloatingIp = (router: string, network: string): Failure =>
  fail.conflict(
    `Gateway cannot be updated for router ${router}, since a gateway to external network ${network} is required by one or more floating IPs.`,
    { type: 'RouterExternalGatewayInUseByFloatingIp' },
  );
const show = (routes: readonly Route[]): string =>
  routes.map((route) => `${route.destination} via ${route.nexthop}`).join(', ');

export const invalidRoutes = (routes: readonly Route[], reason: string): Failure =>
  fail.invalid(`Invalid format for routes: ${show(routes)}, ${reason}`, { type: 'InvalidRoutes' });
export const tooManyExtraRoutes = (router: string, most: number): Failure =>
  fail.invalid(`Unable to complete operation for ${router}. The number of routes exceeds the maximum ${most}.`, {
    type: 'RoutesExhausted',
  });

export const floatingIpNotFound = (id: string): Failure =>
  fail.notFound(`Floating IP ${id} could not be found`, { type: 'FloatingIPNotFound' });
export const externalExhausted = (network: string): Failure =>
  fail.invalid(`Unable to find any IP address on external network ${network}.`, { type: 'ExternalIpAddressExhausted' });
export const noWayOut = (network: string, subnet: string, port: string): Failure =>
  fail.notFound(
    `External network ${network} is not reachable from subnet ${subnet}. Therefore, cannot associate Port ${port} with a Floating IP.`,
    { type: 'ExternalGatewayForFloatingIPNotFound' },
  );
export const portAssociated = (
  floating: { readonly id: string; readonly address: string; readonly networkId: string },
  wish: { readonly portId: string; readonly address: string | undefined },
): Failure =>
  fail.conflict(
    `Cannot associate floating IP ${floating.address} (${floating.id}) with port ${wish.portId} using fixed IP ${wish.address ?? 'of the port'}, as that fixed IP already has a floating IP on external network ${floating.networkId}.`,
    { type: 'FloatingIPPortAlreadyAssociated' },
  );

export const badPortForwarding = (reason: string): Failure =>
  fail.invalid(`Bad port_forwarding request: ${reason}.`, { type: 'BadRequest' });
export const forwardingNotFound = (id: string): Failure =>
  fail.notFound(`Port Forwarding ${id} could not be found.`, { type: 'PortForwardingNotFound' });
export const floatingIpForwards = (id: string): Failure =>
  fail.conflict(`Floating IP ${id} in use by Port Forwarding resources.`, { type: 'FipInUseByPortForwarding' });
export const portIsForwarded = (port: string): Failure =>
  fail.invalid(`Cannot associate floating IP to port ${port} because it already has a Port Forwarding binding.`, {
    type: 'PortHasPortForwarding',
  });
export const portHasFloatingIp = (port: string, address: string, floating: string): Failure =>
  fail.conflict(
    `Cannot create port forwarding with port ${port}, as that port already has a binding floating IP ${address} (${floating}).`,
    { type: 'PortHasBindingFloatingIP' },
  );
