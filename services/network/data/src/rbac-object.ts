/**
 * What can be shared: where each kind of object lives, and which projects use one by what an action allows them. A use
 * stands in the way of taking that action back.
 */
import type { RbacAction, RbacObject } from '#services/network/domain';

export interface Shared {
  readonly table: string;
  /** Selects the projects that use the object `$1`, by action. */
  readonly users: Readonly<Partial<Record<RbacAction, string>>>;
}

export const SHARED_OBJECTS: Readonly<Record<RbacObject, Shared>> = {
  address_group: {
    table: 'address_group',
    users: {
      access_as_shared: `select r.project_id from security_group_rule r where r.remote_address_group_id = $1`,
    },
  },
  address_scope: {
    table: 'address_scope',
    users: { access_as_shared: `select l.project_id from subnetpool l where l.scope_id = $1` },
  },
  network: {
    table: 'network',
    users: {
      access_as_shared: `select p.project_id from port p where p.network_id = $1`,
      access_as_external: `select o.project_id from router o where o.gateway_network_id = $1
        union all select f.project_id from floatingip f where f.network_id = $1`,
    },
  },
  qos_policy: {
    table: 'qos_policy',
    users: {
      access_as_shared: `select p.project_id from port p where p.qos_policy_id = $1
        union all select n.project_id from network n where n.qos_policy_id = $1
        union all select f.project_id from floatingip f where f.qos_policy_id = $1`,
    },
  },
  security_group: {
    table: 'security_group',
    users: {
      access_as_shared: `select p.project_id from port p join port_security_group g on g.port_id = p.id where g.group_id = $1
        union all select r.project_id from security_group_rule r where r.remote_group_id = $1`,
    },
  },
  subnetpool: {
    table: 'subnetpool',
    users: { access_as_shared: `select s.project_id from subnet s where s.pool_id = $1` },
  },
};
