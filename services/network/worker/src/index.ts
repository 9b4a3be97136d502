/** Background work of the network service: OVN, and what other services and the operator ask. */

export { groupsBinding } from './groups.grpc.js';
export { type OperatorParts, operatorBinding } from './operator.grpc.js';
export { AgentWatch } from './ovn/agent-watch.js';
export { ChassisWatch } from './ovn/chassis-watch.js';
export { type NbClient, NORTHBOUND } from './ovn/northbound.js';
export { PortStatus } from './ovn/port-status.js';
export { Reconciler, type ReconcilerParts } from './ovn/reconciler.js';
export { RouterStatus } from './ovn/router-status.js';
export { chassisOf, forgetChassis, type SbClient, SOUTHBOUND } from './ovn/southbound.js';
export { type PortsParts, portsBinding } from './ports.grpc.js';
export { type NewsReader, ServerNewsRelay } from './server-news.js';
