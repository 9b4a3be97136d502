/** All repositories and stores of this service over one database, wired once. */
import type { Db, Tx } from '#libs/platform/db';
import type { Amounts } from '#services/network/domain';
import { AddressGroupRepo } from './address-group.repo.js';
import { AddressGroupStore } from './address-group.store.js';
import { AddressScopeRepo } from './address-scope.repo.js';
import { AddressScopeStore } from './address-scope.store.js';
import { AgentRepo } from './agent.repo.js';
import { AllocationRepo } from './allocation.repo.js';
import { AutoTopologyStore } from './auto-topology.store.js';
import { DefaultSecurityGroupRuleRepo } from './default-security-group-rule.repo.js';
import { DefaultSecurityGroupRuleStore } from './default-security-group-rule.store.js';
import { DefaultStatefulnessRepo } from './default-statefulness.repo.js';
import { DirtyRepo } from './dirty.repo.js';
import { FenceRepo } from './fence.repo.js';
import { FlavorRepo } from './flavor.repo.js';
import { FloatingIpRepo } from './floating-ip.repo.js';
import { FloatingIpStore } from './floating-ip.store.js';
import { joined } from './joined.js';
import { MetadataPorts } from './metadata-port.js';
import { MeteringLabelRepo } from './metering-label.repo.js';
import { MeteringLabelRuleRepo } from './metering-label-rule.repo.js';
import { NetworkRepo } from './network.repo.js';
import { NetworkStore } from './network.store.js';
import { NetworkIpAvailabilityRepo } from './network-ip-availability.repo.js';
import { PortRepo } from './port.repo.js';
import { PortStore } from './port.store.js';
import { PortFollowers } from './port-followers.js';
import { PortForwardingRepo } from './port-forwarding.repo.js';
import { PortForwardingStore } from './port-forwarding.store.js';
import { QosPolicyRepo } from './qos-policy.repo.js';
import { QosPolicyStore } from './qos-policy.store.js';
import { QuotaRepo } from './quota.repo.js';
import { RbacPolicyRepo } from './rbac-policy.repo.js';
import { RbacPolicyStore } from './rbac-policy.store.js';
import { RouterRepo } from './router.repo.js';
import { RouterStore } from './router.store.js';
import { RouterGateways } from './router-gateway.js';
import { RouterInterfaceStore } from './router-interface.store.js';
import { SecurityGroupRepo } from './security-group.repo.js';
import { SecurityGroupStore } from './security-group.store.js';
import { SecurityGroupRuleRepo } from './security-group-rule.repo.js';
import { SegmentRepo } from './segment.repo.js';
import { SegmentStore } from './segment.store.js';
import { ServerNewsRepo } from './server-news.repo.js';
import { ServerPortStore } from './server-port.store.js';
import { ServiceProfileRepo } from './service-profile.repo.js';
import { Sharing } from './sharing.js';
import { SubnetRepo } from './subnet.repo.js';
import { SubnetStore } from './subnet.store.js';
import { SubnetPoolRepo } from './subnet-pool.repo.js';
import { SubnetPoolStore } from './subnet-pool.store.js';
import { TagStore } from './tag.store.js';
import { TrunkRepo } from './trunk.repo.js';
import { TrunkStore } from './trunk.store.js';

export interface BooksOptions {
  readonly limits: Amounts;
  readonly newMac: () => string;
  readonly newId: () => string;
}

export class NetworkBooks {
  readonly networks = new NetworkRepo();
  readonly subnets = new SubnetRepo();
  readonly segments = new SegmentRepo();
  readonly ports = new PortRepo();
  readonly groups = new SecurityGroupRepo();
  readonly rules = new SecurityGroupRuleRepo();
  readonly defaultRules = new DefaultSecurityGroupRuleRepo();
  readonly defaultStatefulness = new DefaultStatefulnessRepo();
  readonly addressGroups = new AddressGroupRepo();
  readonly addressScopes = new AddressScopeRepo();
  readonly subnetPools = new SubnetPoolRepo();
  readonly fences = new FenceRepo();
  readonly allocations = new AllocationRepo();
  readonly policies = new RbacPolicyRepo();
  readonly qosPolicies = new QosPolicyRepo();
  readonly trunks = new TrunkRepo();
  readonly agents = new AgentRepo();
  readonly availabilities = new NetworkIpAvailabilityRepo();
  readonly meteringLabels = new MeteringLabelRepo();
  readonly meteringRules = new MeteringLabelRuleRepo();
  readonly flavors = new FlavorRepo();
  readonly serviceProfiles = new ServiceProfileRepo();
  readonly routers = new RouterRepo();
  readonly floatingIps = new FloatingIpRepo();
  readonly forwardings = new PortForwardingRepo();
  readonly serverNews = new ServerNewsRepo();
  readonly quotas: QuotaRepo;
  readonly dirty: DirtyRepo;
  readonly networkStore: NetworkStore;
  readonly subnetStore: SubnetStore;
  readonly segmentStore: SegmentStore;
  readonly portStore: PortStore;
  readonly groupStore: SecurityGroupStore;
  readonly defaultRuleStore: DefaultSecurityGroupRuleStore;
  readonly addressGroupStore: AddressGroupStore;
  readonly addressScopeStore: AddressScopeStore;
  readonly subnetPoolStore: SubnetPoolStore;
  readonly tagStore: TagStore;
  readonly serverPortStore: ServerPortStore;
  readonly qosPolicyStore: QosPolicyStore;
  readonly policyStore: RbacPolicyStore;
  readonly trunkStore: TrunkStore;
  readonly routerStore: RouterStore;
  readonly interfaceStore: RouterInterfaceStore;
  readonly floatingIpStore: FloatingIpStore;
  readonly forwardingStore: PortForwardingStore;
  readonly autoTopologyStore: AutoTopologyStore;

  constructor(
    readonly db: Db,
    private readonly options: BooksOptions,
  ) {
    this.quotas = new QuotaRepo(options.limits);
    this.dirty = new DirtyRepo(db);
    const { networks, subnets, ports, allocations, qosPolicies, trunks, quotas } = this;
    const { routers, floatingIps, forwardings, subnetPools, serverNews } = this;
    const sharing = new Sharing(this.policies, quotas, options.newId);
    const metadata = new MetadataPorts(ports, serverNews, options);
    const followers = new PortFollowers(floatingIps, forwardings, serverNews, metadata);
    this.segmentStore = new SegmentStore(db, this.segments);
    this.subnetStore = new SubnetStore(db, subnets, allocations, subnetPools, quotas, metadata, this.segmentStore);
    this.networkStore = new NetworkStore(db, networks, qosPolicies, sharing, quotas, floatingIps, ports, followers);
    const { newMac } = options;
    this.portStore = new PortStore(db, ports, allocations, qosPolicies, trunks, quotas, followers, newMac);
    const { portStore } = this;
    this.serverPortStore = new ServerPortStore(db, this.fences, networks, subnets, ports, portStore);
    this.policyStore = new RbacPolicyStore(db, this.policies, quotas);
    this.trunkStore = new TrunkStore(db, trunks, ports, networks, quotas);
    const gateways = new RouterGateways(routers, ports, portStore, floatingIps, qosPolicies);
    this.routerStore = new RouterStore(db, routers, gateways, quotas);
    this.interfaceStore = new RouterInterfaceStore(db, routers, subnets, ports, portStore, floatingIps);
    this.floatingIpStore = new FloatingIpStore(db, floatingIps, ports, portStore, forwardings, qosPolicies, quotas);
    this.autoTopologyStore = new AutoTopologyStore(this, options);
    this.forwardingStore = new PortForwardingStore(db, forwardings, floatingIps, ports);
    this.qosPolicyStore = new QosPolicyStore(db, this.qosPolicies, sharing);
    this.defaultRuleStore = new DefaultSecurityGroupRuleStore(db, this.defaultRules);
    this.tagStore = new TagStore(db);
    this.addressScopeStore = new AddressScopeStore(db, this.addressScopes, sharing);
    this.subnetPoolStore = new SubnetPoolStore(db, this.subnetPools, sharing, this.quotas);
    this.addressGroupStore = new AddressGroupStore(db, this.addressGroups, sharing);
    this.groupStore = new SecurityGroupStore(
      db,
      this.groups,
      this.rules,
      this.defaultRules,
      sharing,
      this.quotas,
      options.newId,
    );
  }

  /** Runs work of several stores as one transaction. What it does must bear repetition, as of any transaction. */
  within<T>(work: (books: NetworkBooks, tx: Tx) => Promise<T>): Promise<T> {
    return this.db.tx((tx) => work(new NetworkBooks(joined(tx), this.options), tx));
  }
}
