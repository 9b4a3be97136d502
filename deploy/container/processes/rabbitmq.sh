# The bus. Its users, permissions and queues come from the definitions file at each boot.
niceness=-10
clear_user rabbitmq beam.smp
own rabbitmq /var/lib/rabbitmq
own rabbitmq /run/rabbitmq
if [ ! -s /var/lib/rabbitmq/.erlang.cookie ]; then
  (umask 077; tr -dc A-Z < /dev/urandom | head -c 32 > /var/lib/rabbitmq/.erlang.cookie)
  chown rabbitmq: /var/lib/rabbitmq/.erlang.cookie
fi
export HOME=/var/lib/rabbitmq detached=true RABBITMQ_NODENAME=yagura@localhost RABBITMQ_CONF_ENV_FILE=/etc/yagura/rabbitmq-env.conf
wait_for 10 epmd -names
as_user rabbitmq /usr/lib/rabbitmq/bin/rabbitmq-server
