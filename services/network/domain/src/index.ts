/** Network domain: addresses, allocation, security rules, quotas, and the plan of OVN's rows. Pure. */
export * from './address.js';
export * from './allocation.js';
export * from './faults.js';
export * from './mac.js';
export * from './model.js';
export * from './ovn/acl.js';
export * from './ovn/dhcp.js';
export * from './ovn/plan.js';
export * from './ovn/port-row.js';
export * from './ovn/rows.js';
export * from './pools.js';
export * from './quota.js';
export * from './security-group-rule.js';
export * from './subnet.js';
