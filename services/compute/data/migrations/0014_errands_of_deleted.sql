-- Lists read both tables as one, column by column. Nothing is ever kept here.
alter table deleted_server add column new_pass bytea;
