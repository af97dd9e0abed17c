-- First of all, in the order in which replicas lock: one that has changed an operation and is about to change its connection would
-- else wait for this, and this for it.
lock table connections, connection_people, operations in access exclusive mode;

-- The lists. For everybody who may see a connection by its record or by a role there is one row, so that a list starts from what
-- the caller may see, newest first, whatever it is narrowed down to, and never reads what they may not see.
create table connection_viewers (
    -- Whether the row belongs to the list of what is unsettled, which holds what `unsettled_connections` does.
    unsettled boolean not null,
    -- A person (`people.id`), or a tenant that the connection touches. The nil UUID stands for every caller whom Azure or a role
    -- allows the whole of what a filter selects.
    viewer uuid not null,
    connection_id uuid not null,
    -- What the person is to the connection; null for all others.
    part text,
    -- The first 16 bytes of SHA-256 of the resource ids in ASCII lower case: of one size, however long they are.
    database_hash uuid not null,
    source_hash uuid not null,
    -- One index for each list: of all, of a database, of a source, of both.
    primary key (unsettled, viewer, connection_id)
);
create index connection_viewers_by_database on connection_viewers (unsettled, viewer, database_hash, connection_id);
create index connection_viewers_by_source on connection_viewers (unsettled, viewer, source_hash, connection_id);
create index connection_viewers_by_both
    on connection_viewers (unsettled, viewer, database_hash, source_hash, connection_id);

create function hash_of_resource(id text) returns uuid language sql stable
return encode(substring(sha256(convert_to(lower(id collate "C"), 'UTF8')) from 1 for 16), 'hex')::uuid;

-- The rows are written by triggers, since replicas of the previous version go on recording connections meanwhile.
create function list_connections() returns trigger language plpgsql as $$
begin
    insert into connection_viewers (unsettled, viewer, connection_id, database_hash, source_hash)
    select false, v.viewer, c.id, hash_of_resource(c.database_id), hash_of_resource(c.source_id)
    from added c cross join lateral (
        select '00000000-0000-0000-0000-000000000000'::uuid as viewer
        union select c.target_tenant_id
        union select c.source_tenant_id) v;
    return null;
end
$$;
create trigger connections_listed after insert on connections
    referencing new table as added for each statement execute function list_connections();

create function list_people() returns trigger language plpgsql as $$
begin
    -- Of two parts the actor's counts, which is first in the alphabet. Who joins what is unsettled sees it in that list too.
    insert into connection_viewers as v (unsettled, viewer, connection_id, part, database_hash, source_hash)
    select l.unsettled, p.person_id, l.connection_id, min(p.part), l.database_hash, l.source_hash
    from added p join connection_viewers l
        on l.connection_id = p.connection_id and l.viewer = '00000000-0000-0000-0000-000000000000'
            and l.unsettled in (false, true)
    group by l.unsettled, p.person_id, l.connection_id, l.database_hash, l.source_hash
    on conflict (unsettled, viewer, connection_id) do update set part = least(v.part, excluded.part);
    return null;
end
$$;
create trigger connection_people_listed after insert on connection_people
    referencing new table as added for each statement execute function list_people();

-- Under the connection's lock, so that of two changes the second sees what the first has left.
create function list_unsettled(of_connection uuid) returns void language plpgsql as $$
begin
    perform from connections c where c.id = of_connection for no key update;
    if exists (select from unsettled_connections u where u.id = of_connection) then
        insert into connection_viewers (unsettled, viewer, connection_id, part, database_hash, source_hash)
        select true, v.viewer, c.id, min(v.part), hash_of_resource(c.database_id), hash_of_resource(c.source_id)
        from connections c cross join lateral (
            select '00000000-0000-0000-0000-000000000000'::uuid as viewer, null::text as part
            union all select c.target_tenant_id, null
            union all select c.source_tenant_id, null
            union all select p.person_id, p.part from connection_people p where p.connection_id = c.id) v
        where c.id = of_connection
        group by v.viewer, c.id
        on conflict (unsettled, viewer, connection_id) do nothing;
    else
        delete from connection_viewers v
        using connections c cross join lateral (
            select '00000000-0000-0000-0000-000000000000'::uuid as viewer
            union select c.target_tenant_id
            union select c.source_tenant_id
            union select p.person_id from connection_people p where p.connection_id = c.id) a
        where c.id = of_connection and v.unsettled and v.viewer = a.viewer and v.connection_id = of_connection;
    end if;
end
$$;

create function list_unsettled_connection() returns trigger language plpgsql as $$
begin
    perform list_unsettled(new.id);
    return null;
end
$$;
create trigger connections_inserted_unsettled after insert on connections
    for each row when (new.observed = 'unknown' or (new.observed = 'present' and new.confirmed_at is null))
    execute function list_unsettled_connection();
create trigger connections_unsettled after update of desired, observed, confirmed_at, closed_at on connections
    for each row when ((new.desired, new.observed, new.confirmed_at is null, new.closed_at is null)
        is distinct from (old.desired, old.observed, old.confirmed_at is null, old.closed_at is null))
    execute function list_unsettled_connection();

create function list_unsettled_operation() returns trigger language plpgsql as $$
begin
    perform list_unsettled(new.connection_id);
    return null;
end
$$;
create trigger operations_inserted_unsettled after insert on operations
    for each row when (new.phase not in ('succeeded', 'failed')) execute function list_unsettled_operation();
create trigger operations_unsettled after update of phase on operations
    for each row when (new.phase <> old.phase) execute function list_unsettled_operation();

-- What was recorded before. In the same transaction as the triggers, which keep others from recording meanwhile.
insert into connection_viewers (unsettled, viewer, connection_id, part, database_hash, source_hash)
select false, v.viewer, c.id, min(v.part), hash_of_resource(c.database_id), hash_of_resource(c.source_id)
from connections c cross join lateral (
    select '00000000-0000-0000-0000-000000000000'::uuid as viewer, null::text as part
    union all select c.target_tenant_id, null
    union all select c.source_tenant_id, null
    union all select p.person_id, p.part from connection_people p where p.connection_id = c.id) v
group by v.viewer, c.id;
select list_unsettled(u.id) from unsettled_connections u;

-- `migrate` gives the serving role its rights after this: until then, whoever may record a connection may have it listed.
do $$
declare
    role name;
begin
    for role in select grantee from information_schema.table_privileges
        where table_schema = current_schema() and table_name = 'connections' and privilege_type = 'INSERT'
          and grantee <> current_user
    loop
        execute format('grant select, insert, delete, update (part) on connection_viewers to %I', role);
    end loop;
end
$$;

-- A page of a list looks up each of its connections here by equality alone. A hash index finds one in a page or two, however many
-- there are.
create index connections_by_id on connections using hash (id);
create index operations_by_connection on operations using hash (connection_id);
create index connection_notes_by_connection on connection_notes using hash (connection_id);
-- Nothing reads a connection's operations in the order of their ids: they are few, and are sorted.
drop index operations_of_connection;
