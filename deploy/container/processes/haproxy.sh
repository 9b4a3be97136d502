as_root haproxy -db -f /etc/yagura/haproxy.cfg
