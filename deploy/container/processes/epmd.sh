# Erlang's port mapper, for the broker and its command line tools; this container only.
niceness=-10
as_user rabbitmq epmd -address 127.0.0.1
