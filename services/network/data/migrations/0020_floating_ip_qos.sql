-- QoS policies of floating IPs.

alter table floatingip add column qos_policy_id uuid constraint floatingip_qos_policy references qos_policy;
create index floatingip_qos_policy_id on floatingip (qos_policy_id) where qos_policy_id is not null;
