-- What a guest is told of itself may change without a command: its node is told to fetch it anew.
alter table server_node
  -- rises with each such change
  add column news bigint not null default 0,
  -- the highest that the node said it has
  add column news_kept bigint not null default 0;
create index server_node_news on server_node (node) where news > news_kept;
