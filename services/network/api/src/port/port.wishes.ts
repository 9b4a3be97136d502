/** From a port's body to what is to be written: rights by attribute, guarding, groups and addresses. */
import { fail, isUuid } from '#libs/kernel';
import type { PortOnNetwork, PortRevision } from '#services/network/data';
import {
  groupNotFound,
  type IpWish,
  invalidInput,
  mixedStatefulness,
  type Network,
  ownerKeepsMac,
  portBound,
  portInUse,
  reaches,
} from '#services/network/domain';
import type { NetworkParts } from '../parts.js';
import { type AnyCall, demand, isAdmin } from '../scope.js';
import { isOn } from '../values.wire.js';
import { changedExtras, checkedProfile } from './port.extras.js';
import { readMac, readPairs } from './port.pairs.js';
import type { PortChangeBody } from './port.wire.js';

export interface Guarding {
  readonly portSecurity: boolean;
  /** Ports of the cloud's own devices get no group unless one is named. */
  readonly defaultGroup: boolean;
}

interface PortTarget {
  readonly projectId: string;
  readonly networkProjectId: string;
}

const OWN_DEVICE = /^(network|neutron):/;

export class PortWishes {
  constructor(private readonly parts: NetworkParts) {}

  /** Throws `forbidden` for the first attribute that this caller may not set. */
  demandRights(call: AnyCall, item: Partial<PortChangeBody>, verb: 'create' | 'update', target: PortTarget): void {
    const need = (rule: string): void => demand(call, `${verb}_port:${rule}`, target);
    // On an update, null asks for another one.
    if (verb === 'update' ? item.mac_address !== undefined : item.mac_address != null) need('mac_address');
    if (item.fixed_ips?.some((ip) => ip.ip_address !== undefined)) need('fixed_ips:ip_address');
    if (item.port_security_enabled !== undefined) need('port_security_enabled');
    if (item.allowed_address_pairs?.length) need('allowed_address_pairs');
    if (item.device_owner && OWN_DEVICE.test(item.device_owner)) need('device_owner');
    if (item.data_plane_status !== undefined) need('data_plane_status');
    if (item['binding:host_id'] || Object.keys(item['binding:profile'] ?? {}).length > 0) need('binding');
  }

  guarding(item: Partial<PortChangeBody>, network: Network): Guarding {
    const ofTheCloud = OWN_DEVICE.test(item.device_owner ?? '');
    const portSecurity = isOn(item.port_security_enabled) ?? (network.portSecurity && !ofTheCloud);
    if (!portSecurity && item.allowed_address_pairs?.length) throw pairsNeedSecurity();
    if (!portSecurity && item.security_groups?.length) throw groupsNeedSecurity();
    return { portSecurity, defaultGroup: portSecurity && !ofTheCloud };
  }

  vnicType(item: Partial<PortChangeBody>): string {
    const type = item['binding:vnic_type'] ?? 'normal';
    if (type !== 'normal') throw invalidInput(`binding:vnic_type '${type}' is not available in this cloud.`);
    return type;
  }

  /** The addresses that were asked for; undefined where the client leaves them to us. */
  addresses(item: Partial<PortChangeBody>): IpWish[] | undefined {
    return item.fixed_ips?.map((ip) => ({ subnetId: ip.subnet_id, address: ip.ip_address }));
  }

  async groupsForNew(
    call: AnyCall,
    item: Partial<PortChangeBody>,
    projectId: string,
    guarding: Guarding,
  ): Promise<string[]> {
    if (item.security_groups != null) return this.known(call, item.security_groups, projectId);
    if (!guarding.defaultGroup) return [];
    return [await this.parts.books.groupStore.ensureDefault(projectId, this.parts.now())];
  }

  async groupsForChange(call: AnyCall, item: PortChangeBody, port: PortOnNetwork): Promise<string[] | undefined> {
    const portSecurity = isOn(item.port_security_enabled) ?? port.portSecurity;
    if (!portSecurity && item.security_groups?.length) throw groupsNeedSecurity();
    if (item.security_groups == null) return undefined;
    return this.known(call, item.security_groups, port.projectId);
  }

  /** What an update changes on the port as it is now. */
  change(
    call: AnyCall,
    item: PortChangeBody,
    port: PortOnNetwork,
    groupIds: readonly string[] | undefined,
  ): PortRevision {
    const portSecurity = isOn(item.port_security_enabled) ?? port.portSecurity;
    if (!portSecurity && (groupIds ?? port.groupIds).length > 0) throw groupsStand();
    const mac = this.changedMac(item, port);
    const pairs =
      item.allowed_address_pairs === undefined
        ? undefined
        : readPairs(item.allowed_address_pairs ?? [], mac ?? port.mac);
    if (!portSecurity && (pairs ?? port.addressPairs).length > 0) throw pairsNeedSecurity();
    const moved =
      (item.device_id ?? port.deviceId) !== port.deviceId ||
      (item.device_owner ?? port.deviceOwner) !== port.deviceOwner;
    if (moved && port.ownedByServer && !isAdmin(call.who)) throw portInUse(port.id, port.networkId, port.deviceId);
    if (item['binding:vnic_type'] !== undefined) this.vnicType(item);
    return {
      name: item.name,
      description: item.description,
      adminStateUp: isOn(item.admin_state_up),
      deviceId: item.device_id === null ? '' : item.device_id,
      deviceOwner: item.device_owner === null ? '' : item.device_owner,
      host: item['binding:host_id'] === null ? '' : item['binding:host_id'],
      profile: checkedProfile(item),
      ...changedExtras(item, port),
      mac,
      portSecurity: isOn(item.port_security_enabled),
      addressPairs: pairs,
      wishes: this.addresses(item),
      groupIds,
    } as PortRevision;
  }

  /** Another address, given or made here. One by which a port is bound, or that a device of the cloud has, stays. */
  private changedMac(item: PortChangeBody, port: PortOnNetwork): string | undefined {
    if (item.mac_address === undefined) return undefined;
    const mac = item.mac_address === null ? this.parts.newMac() : readMac(item.mac_address);
    if (mac === port.mac) return undefined;
    if (port.deviceOwner.startsWith('network:')) throw ownerKeepsMac(port.id, port.deviceOwner);
    if (port.host !== '') throw portBound(port.id, port.mac, mac);
    return mac;
  }

  /** The ids, all of which must be groups of the port's project or shared with it; an administrator may name any. */
  private async known(call: AnyCall, ids: readonly string[], projectId: string): Promise<string[]> {
    const { books } = this.parts;
    const wanted = [...new Set(ids.map((id) => id.toLowerCase()))];
    const found = await books.groups.names(books.db, wanted.filter(isUuid));
    const usable = found.filter(
      (group) => group.projectId === projectId || reaches(group.sharedWith, projectId) || isAdmin(call.who),
    );
    const missing = wanted.find((id) => !usable.some((group) => group.id === id));
    if (missing !== undefined) throw groupNotFound(missing.slice(0, 100));
    if (new Set(usable.map((group) => group.stateful)).size > 1) throw mixedStatefulness();
    return wanted;
  }
}

const pairsNeedSecurity = (): Error =>
  fail.conflict('Port Security must be enabled in order to have allowed address pairs on a port.', {
    type: 'AddressPairAndPortSecurityRequired',
  });

const groupsStand = (): Error =>
  fail.conflict(
    'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
    { type: 'PortSecurityPortHasSecurityGroup' },
  );

const groupsNeedSecurity = (): Error =>
  fail.invalid('Port security must be enabled and port must have an IP address in order to use security groups.', {
    type: 'PortSecurityAndIPRequiredForSecurityGroups',
  });
