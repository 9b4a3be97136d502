/** The list of extensions, from the time before microversions: what is served, by the aliases that clients look up. */
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { everyone, rule } from '#libs/platform/policy';

@Injectable()
export class ExtensionHandlers {}

const SERVED: readonly (readonly [alias: string, name: string, description: string])[] = [
  ['NMN', 'Multinic', 'Several network interfaces for each server.'],
  ['OS-DCF', 'DiskConfig', 'How the disk is partitioned at first boot.'],
  ['OS-EXT-AZ', 'ExtendedAvailabilityZone', 'The availability zone of a server.'],
  ['OS-EXT-IPS', 'ExtendedIps', 'The type of each address.'],
  ['OS-EXT-IPS-MAC', 'ExtendedIpsMac', 'The MAC address behind each address.'],
  ['OS-EXT-SRV-ATTR', 'ExtendedServerAttributes', 'Where a server runs, for administrators.'],
  ['OS-EXT-STS', 'ExtendedStatus', 'The states behind the status of a server.'],
  ['OS-FLV-DISABLED', 'FlavorDisabled', 'Whether a flavor is disabled.'],
  ['OS-FLV-EXT-DATA', 'FlavorExtraData', 'Ephemeral disk of a flavor.'],
  ['OS-SCH-HNT', 'SchedulerHints', 'Hints to placement.'],
  ['OS-SRV-USG', 'ServerUsage', 'When a server was launched and terminated.'],
  ['os-admin-actions', 'AdminActions', 'Actions of administrators.'],
  ['os-attach-interfaces', 'AttachInterfaces', 'Interfaces of a server.'],
  ['os-availability-zone', 'AvailabilityZone', 'Availability zones.'],
  ['os-config-drive', 'ConfigDrive', 'Configuration drives.'],
  ['os-console-output', 'ConsoleOutput', 'The serial log of a server.'],
  ['os-consoles', 'Consoles', 'Consoles of a server: its serial log.'],
  ['os-flavor-access', 'FlavorAccess', 'Who may use a private flavor.'],
  ['os-flavor-extra-specs', 'FlavorExtraSpecs', 'Extra specs of flavors.'],
  ['os-flavor-manage', 'FlavorManage', 'Making and deleting flavors.'],
  ['os-flavor-rxtx', 'FlavorRxtx', 'The network factor of a flavor.'],
  ['os-flavor-swap', 'FlavorSwap', 'Swap of a flavor.'],
  ['os-hosts', 'Hosts', 'Hosts of the cloud.'],
  ['os-hypervisors', 'Hypervisors', 'Hypervisors of the cloud.'],
  ['os-instance-actions', 'ServerActions', 'What was done to a server.'],
  ['os-keypairs', 'Keypairs', 'Key pairs of users.'],
  ['os-limits', 'Limits', 'Limits of a project.'],
  ['os-lock-server', 'LockServer', 'Locking a server.'],
  ['os-multiple-create', 'MultipleCreate', 'Several servers in one request.'],
  ['os-quota-class-sets', 'QuotaClasses', 'Default quotas.'],
  ['os-quota-sets', 'Quotas', 'Quotas of projects.'],
  ['os-security-groups', 'SecurityGroups', 'Security groups of a server.'],
  ['os-server-start-stop', 'ServerStartStop', 'Starting and stopping a server.'],
  ['os-services', 'Services', 'Services of the cloud.'],
  ['os-simple-tenant-usage', 'SimpleTenantUsage', 'What projects have used.'],
  ['os-user-data', 'UserData', 'User data at creation.'],
];

const extensions = SERVED.map(([alias, name, description]) => ({
  alias,
  name,
  description,
  links: [],
  namespace: 'http://docs.openstack.org/compute/ext/fake_xml',
  updated: '2014-12-03T00:00:00Z',
}));

const READ = rule('os_compute_api:extensions', everyone);

export const extensionOps: readonly Op[] = [
  op(ExtensionHandlers, {
    method: 'GET',
    path: '/v2.1/extensions',
    rule: READ,
    status: 200,
    run: () => ({ body: { extensions } }),
  }),
  op(ExtensionHandlers, {
    method: 'GET',
    path: '/v2.1/extensions/:alias',
    rule: READ,
    status: 200,
    run: (_handlers, call) => {
      const extension = extensions.find(({ alias }) => alias === call.params['alias']);
      if (!extension) throw fail.notFound(`Extension with name ${call.params['alias']?.slice(0, 64)} does not exist.`);
      return { body: { extension } };
    },
  }),
];
