-- The image that the node is to copy the server's disk into. Part of the desired state: whatever is desired next, with a
-- higher pair, no longer asks for it.
alter table server_node add column export_image_id uuid;
