-- QoS policies of the gateways of routers.

alter table router
  add column qos_policy_id uuid constraint router_qos_policy references qos_policy,
  add check (qos_policy_id is null or gateway_port_id is not null);
create index router_qos_policy_id on router (qos_policy_id) where qos_policy_id is not null;
