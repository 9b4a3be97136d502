/** The columns of a server as the domain names them, so that rows leave the driver ready to use. */

export const SERVER_COLUMNS = `s.id, s.project_id as "projectId", s.user_id as "userId", s.name, s.hostname, s.description,
  s.vm_state as "vmState", s.task_state as "taskState", s.power_state as "powerState", s.power, s.generation,
  s.reboot_count as "rebootCount", s.reboot_kind as "rebootKind",
  s.disk_epoch as "diskEpoch", s.disk_made as "diskMade", s.rescue, s.resize, s.undo,
  s.undo_epoch as "undoEpoch", s.fence, s.seq, s.host, s.hypervisor_id as "hypervisorId",
  s.availability_zone as "availabilityZone", s.pinned_zone as "pinnedZone", s.image_id as "imageId", s.image, s.flavor,
  s.flavor_id as "flavorId", s.key_name as "keyName", s.key_type as "keyType", s.key_data as "keyData", s.metadata,
  s.system_metadata as "systemMetadata", s.config_drive as "configDrive", s.nics, s.addresses,
  s.security_groups as "securityGroups", s.tags, s.group_id as "groupId", s.scheduler_hints as "schedulerHints", s.access_ip_v4 as "accessIpV4",
  s.access_ip_v6 as "accessIpV6", s.disk_config as "diskConfig", s.locked_by as "lockedBy",
  s.locked_reason as "lockedReason", s.fault, s.reservation_id as "reservationId", s.launch_index as "launchIndex",
  s.created_at as "createdAt", s.updated_at as "updatedAt", s.launched_at as "launchedAt", s.terminated_at as "terminatedAt"`;
