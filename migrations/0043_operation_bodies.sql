-- The body of a request is needed until its operation has ended. What was sent stays with the connection (`connection_revisions.sent`),
-- and the body's hash with the operation.
create index operations_with_body on operations (finished_at) where body is not null and finished_at is not null;

-- Drops the bodies of operations that ended so long ago, at least a day. Returns how many.
create function drop_operation_bodies(older_than interval, most integer) returns bigint
language sql security definer set search_path from current as $$
    with dropped as (
        update operations set body = null
        where id in (
            select o.id from operations o
            where o.body is not null and o.finished_at < now() - greatest(older_than, interval '1 day')
            order by o.finished_at limit most for update skip locked)
        returning 1)
    select count(*) from dropped
$$;
revoke all on function drop_operation_bodies(interval, integer) from public;

insert into schedules (name, due_at) values ('dropOperationBodies', now());
