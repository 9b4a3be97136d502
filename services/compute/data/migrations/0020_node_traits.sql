-- What a node can give to guests, by OpenStack's names, as it said when it enrolled.
alter table node add column traits text[] not null default '{}';
