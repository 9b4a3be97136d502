-- Servers that stand still in memory or on the disk, boot from a rescue image, wait for a resize to be confirmed, or are
-- shelved. The words are those of server.ts.
alter table server
  drop constraint server_vm_state_known,
  add constraint server_vm_state_known check (vm_state in ('building', 'active', 'stopped', 'paused', 'suspended', 'rescued',
    'resized', 'shelved', 'shelved_offloaded', 'error', 'deleted')),
  drop constraint server_power_known,
  add constraint server_power_known check (power in ('running', 'stopped', 'paused', 'suspended', 'absent'));
alter table server_node
  drop constraint server_node_power_known,
  add constraint server_node_power_known check (power in ('running', 'stopped', 'paused', 'suspended', 'absent'));
