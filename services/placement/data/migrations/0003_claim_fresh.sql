-- Ends a claim in one statement that has written its consumer's fence and then found no room: nothing of it may stay.
create function placement_no_room () returns boolean language plpgsql as $$
begin
  raise exception using errcode = 'check_violation', constraint = 'placement_no_room', message = 'no room';
end
$$;
