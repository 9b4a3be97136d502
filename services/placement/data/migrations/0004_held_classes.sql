-- What a node no longer tells of while servers still hold some of it: it stays until they have given it back, with no more to be
-- had. Nothing is ever held of a class that its provider does not have.
create function placement_still_held (inventories jsonb, used jsonb, told jsonb) returns jsonb language sql immutable as $$
  select coalesce(jsonb_object_agg(class, inventory || jsonb_build_object('reserved', inventory -> 'total')), '{}')
    from jsonb_each(inventories) as i (class, inventory) where used ? class and not told ? class
$$;
