-- What a node is to do once with a guest, beside keeping it as it is. The next desired state forgets it.
alter table server_node add column errand text check (errand in ('interrupt', 'password'));
-- Sealed, until the guest has it or the change was given up.
alter table server add column new_pass bytea;
