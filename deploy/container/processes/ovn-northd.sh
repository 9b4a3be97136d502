wait_for 10 test -S /run/ovn/ovnnb_db.sock -a -S /run/ovn/ovnsb_db.sock
rm -f /run/ovn/ovn-northd.ctl
as_root ovn-northd -vconsole:warn -vsyslog:off --ovnnb-db=unix:/run/ovn/ovnnb_db.sock --ovnsb-db=unix:/run/ovn/ovnsb_db.sock --unixctl=/run/ovn/ovn-northd.ctl
