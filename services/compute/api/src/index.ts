/** The compute API (Nova 2.1): its rows, its rules, its dialect, and the module that serves them. */
import { type DynamicModule, Module } from '@nestjs/common';
import type { Clock, Ids } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Op } from '#libs/platform/http';
import type { Rule } from '#libs/platform/policy';
import type { Seal } from '#services/compute/data';
import { AggregateHandlers } from './aggregate/aggregate.handlers.js';
import { aggregateOps } from './aggregate/aggregate.ops.js';
import { Books, Peers, Surroundings } from './books.js';
import { commonRules } from './compute.rules.js';
import { ExtensionHandlers, extensionOps } from './extension/extension.ops.js';
import { FixedIpHandlers } from './fixed-ip/fixed-ip.handlers.js';
import { fixedIpOps } from './fixed-ip/fixed-ip.ops.js';
import { FlavorHandlers } from './flavor/flavor.handlers.js';
import { flavorOps, flavorRules } from './flavor/flavor.ops.js';
import { FloatingIpHandlers } from './floating-ip/floating-ip.handlers.js';
import { floatingIpOps } from './floating-ip/floating-ip.ops.js';
import { ImageHandlers } from './image/image.handlers.js';
import { imageOps } from './image/image.ops.js';
import { KeypairHandlers } from './keypair/keypair.handlers.js';
import { keypairOps } from './keypair/keypair.ops.js';
import { MigrationHandlers, migrationOps } from './migration/migration.ops.js';
import { NetworkHandlers, networkOps } from './network/network.ops.js';
import { BaremetalHandlers, hostOps } from './node/host.ops.js';
import { hypervisorOps } from './node/hypervisor.ops.js';
import { NodeHandlers } from './node/node.handlers.js';
import { serviceOps } from './node/service.ops.js';
import { zoneOps } from './node/zone.ops.js';
import { QuotaHandlers, quotaOps, quotaRules } from './quota/quota.ops.js';
import { RemovedHandlers, removedOps } from './removed/removed.ops.js';
import { SecurityGroupHandlers } from './security-group/security-group.handlers.js';
import { securityGroupOps } from './security-group/security-group.ops.js';
import { InstanceActionHandlers, instanceActionOps, instanceActionRules } from './server/instance-action.ops.js';
import { ServerHandlers } from './server/server.handlers.js';
import { serverOps, serverRules, volumesBootOps } from './server/server.ops.js';
import { serverActionOps, serverActionRules } from './server/server-action.ops.js';
import { serverAddressOps } from './server/server-address.ops.js';
import { ServerConsoleHandlers } from './server/server-console.handlers.js';
import { ServerCreateHandlers } from './server/server-create.handlers.js';
import { ServerDiagnosticsHandlers, serverDiagnosticsOps } from './server/server-diagnostics.ops.js';
import { ServerEventHandlers, serverExternalEventOps } from './server/server-external-event.ops.js';
import { ServerGuestHandlers } from './server/server-guest.handlers.js';
import { serverGuestOps } from './server/server-guest.ops.js';
import { ServerHints } from './server/server-hints.js';
import { ServerImageHandlers } from './server/server-image.handlers.js';
import { serverImageOps } from './server/server-image.ops.js';
import { ServerInterfaceHandlers } from './server/server-interface.handlers.js';
import { serverInterfaceOps } from './server/server-interface.ops.js';
import { ServerMetadataHandlers, serverMetadataOps } from './server/server-metadata.ops.js';
import { ServerNetworkHandlers, serverNetworkOps } from './server/server-network.ops.js';
import { ServerPasswordHandlers, serverPasswordOps } from './server/server-password.ops.js';
import { ServerRebuildHandlers } from './server/server-rebuild.handlers.js';
import { serverRebuildOps } from './server/server-rebuild.ops.js';
import { ServerRemoteConsoleHandlers } from './server/server-remote-console.handlers.js';
import { serverRemoteConsoleOps } from './server/server-remote-console.ops.js';
import { ServerRescueHandlers } from './server/server-rescue.handlers.js';
import { serverRescueOps } from './server/server-rescue.ops.js';
import { ServerResizeHandlers } from './server/server-resize.handlers.js';
import { serverResizeOps } from './server/server-resize.ops.js';
import { ServerShelveHandlers } from './server/server-shelve.handlers.js';
import { serverShelveOps, serverShelveRules } from './server/server-shelve.ops.js';
import { ServerTagHandlers, serverTagOps } from './server/server-tag.ops.js';
import { serverTopologyOps, serverTopologyRules } from './server/server-topology.ops.js';
import { ServerGroupHandlers } from './server-group/server-group.handlers.js';
import { serverGroupOps, serverGroupRules } from './server-group/server-group.ops.js';
import { instanceUsageAuditLogOps } from './usage/instance-usage-audit-log.ops.js';
import { UsageHandlers, usageOps } from './usage/usage.ops.js';
import { VersionHandlers, versionOps } from './version/version.ops.js';
import { VolumeHandlers, volumeOps } from './volume/volume.ops.js';
import { VolumeAttachmentHandlers, volumeAttachmentOps } from './volume/volume-attachment.ops.js';

export { Books, Peers } from './books.js';
export { COMPUTE_SPACE, computeDialect } from './compute.space.js';

export { connectAgents, connectPeers } from './connect.js';

export const computeOps: readonly Op[] = [
  ...versionOps,
  ...extensionOps,
  ...flavorOps,
  ...keypairOps,
  ...serverOps,
  ...serverActionOps,
  ...serverImageOps,
  ...serverShelveOps,
  ...serverRebuildOps,
  ...serverRescueOps,
  ...serverResizeOps,
  ...serverMetadataOps,
  ...serverTagOps,
  ...serverAddressOps,
  ...serverNetworkOps,
  ...serverInterfaceOps,
  ...serverPasswordOps,
  ...serverDiagnosticsOps,
  ...serverGuestOps,
  ...serverRemoteConsoleOps,
  ...instanceActionOps,
  ...quotaOps,
  ...hypervisorOps,
  ...serviceOps,
  ...zoneOps,
  ...aggregateOps,
  ...usageOps,
  ...imageOps,
  ...networkOps,
  ...floatingIpOps,
  ...fixedIpOps,
  ...securityGroupOps,
  ...hostOps,
  ...migrationOps,
  ...instanceUsageAuditLogOps,
  ...serverGroupOps,
  ...serverExternalEventOps,
  ...serverTopologyOps,
  ...volumeOps,
  ...volumeAttachmentOps,
  ...volumesBootOps,
  ...removedOps,
];
export const computeRules: readonly Rule[] = [
  ...commonRules,
  ...flavorRules,
  ...serverRules,
  ...serverActionRules,
  ...serverShelveRules,
  ...instanceActionRules,
  ...quotaRules,
  ...serverGroupRules,
  ...serverTopologyRules,
];

export interface ComputeApiDeps {
  readonly db: Db;
  readonly seal: Seal;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly consoleBase: string;
  readonly patienceMs?: number;
}

@Module({})
class ComputeApi {}

/** For `serveHttp(computeModule(deps), {ops: computeOps, rules: computeRules, dialect: computeDialect, ...})`. */
export const computeModule = (deps: ComputeApiDeps): DynamicModule => ({
  module: ComputeApi,
  providers: [
    { provide: Books, useValue: new Books(deps.db, deps.seal) },
    { provide: Peers, useValue: deps.peers },
    { provide: Surroundings, useValue: new Surroundings(deps.clock, deps.ids, deps.consoleBase, deps.patienceMs) },
    VersionHandlers,
    ExtensionHandlers,
    FlavorHandlers,
    KeypairHandlers,
    ServerHandlers,
    ServerCreateHandlers,
    ServerHints,
    ServerGroupHandlers,
    AggregateHandlers,
    ServerConsoleHandlers,
    ServerDiagnosticsHandlers,
    ServerGuestHandlers,
    ServerRebuildHandlers,
    ServerRescueHandlers,
    ServerResizeHandlers,
    ServerMetadataHandlers,
    ServerPasswordHandlers,
    ServerTagHandlers,
    ServerNetworkHandlers,
    ServerInterfaceHandlers,
    ServerRemoteConsoleHandlers,
    ServerImageHandlers,
    ServerShelveHandlers,
    InstanceActionHandlers,
    QuotaHandlers,
    NodeHandlers,
    UsageHandlers,
    ImageHandlers,
    NetworkHandlers,
    FloatingIpHandlers,
    FixedIpHandlers,
    SecurityGroupHandlers,
    BaremetalHandlers,
    MigrationHandlers,
    ServerEventHandlers,
    VolumeHandlers,
    VolumeAttachmentHandlers,
    RemovedHandlers,
  ],
});
