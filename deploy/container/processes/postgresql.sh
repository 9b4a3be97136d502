# The truth. Its data lives outside the container's root; authentication is by peer on the socket, by password on TCP.
niceness=-10
data=/var/lib/postgresql/17
bin=/usr/lib/postgresql/17/bin
clear_user postgres
own postgres /var/lib/postgresql
install -d -o postgres -g postgres -m 2775 /run/postgresql
if [ ! -s $data/PG_VERSION ]; then
  rm -rf $data.part
  setpriv --reuid postgres --regid postgres --init-groups $bin/initdb -D $data.part --locale=C.UTF-8 --encoding=UTF8 \
    --auth-local=peer --auth-host=scram-sha-256 --no-instructions || exit 1
  mv $data.part $data
fi
rm -f $data/postmaster.pid
as_user postgres $bin/postgres -D $data -c config_file=/etc/yagura/postgresql.conf -c hba_file=/etc/yagura/pg_hba.conf -c ident_file=$data/pg_ident.conf
