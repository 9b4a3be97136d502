/**
 * Failures under the names by which Neutron's clients know them. A client decides on status and type: a 409 of
 * `IpAddressGenerationFailure` is worth a retry, others are not.
 */
import { type Failure, fail } from '#libs/kernel';

const invalid = (type: string, message: string): Failure => fail.invalid(message, { type });
const conflict = (type: string, message: string): Failure => fail.conflict(message, { type });
const missing = (type: string, message: string): Failure => fail.notFound(message, { type });

export const networkNotFound = (id: string) => missing('NetworkNotFound', `Network ${id} could not be found.`);
export const subnetNotFound = (id: string) => missing('SubnetNotFound', `Subnet ${id} could not be found.`);
export const portNotFound = (id: string) => missing('PortNotFound', `Port ${id} could not be found.`);
export const groupNotFound = (id: string) => missing('SecurityGroupNotFound', `Security group ${id} does not exist`);
export const ruleNotFound = (id: string) =>
  missing('SecurityGroupRuleNotFound', `Security group rule ${id} does not exist`);
export const defaultRuleNotFound = (id: string) =>
  missing('DefaultSecurityGroupRuleNotFound', `Default Security Group rule ${id} does not exist`);
export const defaultStatefulnessNotFound = (id: string) =>
  missing('SecurityGroupDefaultStatefulnessNotFound', `Security group default statefulness ${id} could not be found.`);
export const addressGroupNotFound = (id: string) =>
  missing('AddressGroupNotFound', `Address group ${id} could not be found.`);
const quoted = (texts: readonly string[]): string => `[${texts.map((text) => `'${text}'`).join(', ')}]`;
export const addressesNotFound = (id: string, addresses: readonly string[]) =>
  missing('AddressesNotFound', `Addresses ${quoted(addresses)} not found in the address group ${id}.`);
export const agentNotFound = (id: string) => missing('AgentNotFound', `Agent ${id} could not be found.`);
export const agentAlive = (id: string) =>
  conflict('AgentInUse', `Agent ${id} is alive: it would come back at once. Stop the node's controller first.`);
export const zoneNotFound = (zone: string) =>
  missing('AvailabilityZoneNotFound', `AvailabilityZone ${zone} could not be found.`);
export const extensionNotFound = (alias: string) =>
  missing('HTTPNotFound', `Extension with alias ${alias} does not exist`);

/** Input that is well formed and still makes no sense. */
export const invalidInput = (reason: string) => invalid('InvalidInput', `Invalid input for operation: ${reason}`);
/** A value of an attribute that no rule accepts. */
export const badAttribute = (attribute: string, reason: string) =>
  invalid('HTTPBadRequest', `Invalid input for ${attribute}. Reason: ${reason}`);

const listed = (ids: readonly string[]): string => (ids.length > 0 ? ` Their ids: ${ids.join(', ')}.` : '');

/** `ports`: those that are in the way, as far as they are known. */
export const networkInUse = (id: string, ports: readonly string[] = []) =>
  conflict(
    'NetworkInUse',
    `Unable to complete operation on network ${id}. There are one or more ports still in use on the network.${listed(ports)}`,
  );
export const noSegmentLeft = (physicalNetwork: string) =>
  fail.unavailable(`Unable to create the network. No VLAN is left on physical network ${physicalNetwork}.`, {
    type: 'NoNetworkAvailable',
  });
export const externalNetworkInUse = (id: string) =>
  conflict(
    'ExternalNetworkInUse',
    `External network ${id} cannot be updated to be made non-external, since it has existing gateway ports.`,
  );
export const sharedNetworkInUse = (name: string) =>
  conflict(
    'InvalidSharedSetting',
    `Unable to reconfigure sharing settings for network ${name}. Multiple projects are using it.`,
  );
export const mtuTooSmall = (network: string, least: number) =>
  conflict(
    'NetworkMTUSubnetConflict',
    `MTU of network ${network} is not valid for subnets on it: it must be at least ${least}.`,
  );
export const subnetInUse = (id: string, ports: readonly string[] = []) =>
  conflict(
    'SubnetInUse',
    `Unable to complete operation on subnet ${id}: One or more ports have an IP allocation from this subnet.${listed(ports)}`,
  );
export const gatewayInUse = (ip: string, port: string) =>
  conflict('GatewayIpInUse', `Current gateway ip ${ip} already in use by port ${port}. Unable to update.`);
export const addressesAlreadyExist = (id: string, addresses: readonly string[]) =>
  invalid('AddressesAlreadyExist', `Addresses ${quoted(addresses)} already exist in the address group ${id}.`);
export const addressGroupInUse = (id: string) =>
  conflict('AddressGroupInUse', `Address group ${id} is in use on one or more security group rules.`);
export const groupInUse = (id: string) => conflict('SecurityGroupInUse', `Security Group ${id} in use.`);
export const noDefaultRemoval = () =>
  conflict('SecurityGroupCannotRemoveDefault', 'Insufficient rights for removing default security group.');
export const noDefaultUpdate = () =>
  conflict('SecurityGroupCannotUpdateDefault', 'Updating default security group not allowed.');
export const secondDefault = () =>
  conflict('SecurityGroupDefaultAlreadyExists', 'Default security group already exists.');
export const ruleExists = (id: string) =>
  conflict('SecurityGroupRuleExists', `Security group rule already exists. Rule id is ${id}.`);
export const ruleTwiceInPost = () =>
  conflict('DuplicateSecurityGroupRuleInPost', 'Duplicate Security Group Rule in POST.');
export const defaultRuleExists = (id: string) =>
  conflict('DefaultSecurityGroupRuleExists', `Default Security group rule already exists. Rule id is ${id}.`);
export const defaultStatefulnessExists = (projectId: string | null) =>
  conflict(
    'SecurityGroupDefaultStatefulnessAlreadyExists',
    `A security group default statefulness setting already exists for project '${projectId ?? 'system-wide'}'.`,
  );
export const mixedStatefulness = () =>
  conflict(
    'SecurityGroupConflict',
    'Error Cannot apply both stateful and stateless security groups on the same port at the same time while attempting the operation.',
  );
export const macInUse = (network: string, mac: string) =>
  conflict('MacAddressInUse', `Unable to complete operation for network ${network}. The mac address ${mac} is in use.`);
export const ipAllocated = (ip: string, subnet: string) =>
  conflict('IpAddressAlreadyAllocated', `IP address ${ip} already allocated in subnet ${subnet}`);
export const noAddressLeft = (network: string) =>
  conflict('IpAddressGenerationFailure', `No more IP addresses available on network ${network}.`);
export const noServiceSubnet = (network: string, owner: string) =>
  conflict(
    'IpAddressGenerationFailureNoMatchingSubnet',
    `No valid service subnet for the given device owner, network ${network}, service type ${owner}.`,
  );
export const portInUse = (port: string, network: string, device: string) =>
  conflict(
    'PortInUse',
    `Unable to complete operation on port ${port} for network ${network}. Port already has an attached device ${device}.`,
  );
export const portBound = (port: string, before: string, after: string) =>
  conflict(
    'PortBound',
    `Unable to complete operation on port ${port}, port is already bound, port type: ovs, old_mac ${before}, new_mac ${after}.`,
  );
export const ownerKeepsMac = (port: string, owner: string) =>
  conflict(
    'UnsupportedPortDeviceOwner',
    `Operation mac address update is not supported for device_owner ${owner} on port ${port}.`,
  );
export const deviceNotOwned = (device: string) =>
  conflict(
    'DeviceIDNotOwnedByTenant',
    `The following device_id ${device} is not owned by your project or matches another project's router.`,
  );
export const portServed = (port: string, owner: string) =>
  conflict('ServicePortInUse', `Port ${port} cannot be deleted directly via the port API: has device owner ${owner}.`);

export const notOnNetwork = (ip: string) =>
  invalid('InvalidIpForNetwork', `IP address ${ip} is not a valid IP for any of the subnets on the specified network.`);
export const notOnSubnet = (ip: string) =>
  invalid('InvalidIpForSubnet', `IP address ${ip} is not a valid IP for the specified subnet.`);
export const autoAddressed = (ip: string, subnet: string) =>
  invalid(
    'AllocationOnAutoAddressSubnet',
    `IPv6 address ${ip} cannot be directly assigned to a port on subnet ${subnet} as the subnet is configured for automatic addresses`,
  );

export const limitBelowUse = (resource: string, limit: number, used: number) =>
  invalid('HTTPBadRequest', `A limit of ${limit} for ${resource} is below what is used already: ${used}.`);
export const noProject = () =>
  invalid('QuotaMissingTenant', 'The token is scoped to no project, so there is none whose quotas could be meant.');

export const overQuota = (resources: readonly string[]) =>
  fail.overQuota(`Quota exceeded for resources: [${resources.map((name) => `'${name}'`).join(', ')}].`, {
    type: 'OverQuota',
  });
