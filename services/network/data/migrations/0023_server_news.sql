-- Servers whose ports have changed in what compute shows of them, until compute has taken note.
create sequence server_news_n;
create table server_news (
  server_id uuid primary key,
  -- tells this change from a later one
  n bigint not null default nextval('server_news_n'),
  since timestamptz not null
);
