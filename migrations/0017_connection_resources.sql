-- First of all, in the order in which replicas lock: one that has changed an operation and is about to change its connection would
-- else wait for this, and this for it. Who only reads is not kept waiting.
lock table connections, connection_people, operations in exclusive mode;

-- The resources that a connection touches, and the tenant of each: as many as its kind of source needs.
create table connection_resources (
    connection_id uuid not null references connections (id),
    -- `cluster` and `database` receive the events; every other role belongs to the source, such as `eventHub`.
    role text collate "C" not null,
    -- In ASCII lower case to compare, and as the caller wrote it.
    resource_id text collate "C" not null,
    resource_id_written text not null,
    tenant_id uuid not null,
    primary key (connection_id, role, resource_id)
);
create index connection_resources_by_resource on connection_resources (resource_id, connection_id);
create index connection_resources_by_tenant on connection_resources (tenant_id, connection_id);

-- The lists. Each has a key: the hash of what it is narrowed down to. So a list is one range of the primary key, whatever is asked
-- for, and never reads what the caller may not see. It takes the place of `connection_viewers`, which is still written for replicas
-- of the previous version.
create table connection_list_entries (
    -- Whether the entry belongs to the list of what is unsettled, which holds what `unsettled_connections` does.
    unsettled boolean not null,
    -- A person (`people.id`), or a tenant that the connection touches. The nil UUID stands for every caller whom Azure or a role
    -- allows the whole of what a filter selects.
    viewer uuid not null,
    list_key uuid not null,
    connection_id uuid not null,
    -- What the person is to the connection; null for all others.
    part text,
    primary key (unsettled, viewer, list_key, connection_id)
);

-- The first 16 bytes of SHA-256 of the resource ids that a list is narrowed down to, the database before the source.
create function list_key(resource_ids text[]) returns uuid language sql stable
return encode(substring(sha256(convert_to(array_to_string(resource_ids, E'\n'), 'UTF8')) from 1 for 16), 'hex')::uuid;

-- In which lists a connection stands: for each viewer in that of all, of its database, of each resource of its source, of both.
create function list_entries(of_connection uuid) returns table (viewer uuid, list_key uuid, part text) language sql stable as $$
    with touched as (select r.role, r.resource_id, r.tenant_id from connection_resources r where r.connection_id = of_connection),
    viewers as (
        select '00000000-0000-0000-0000-000000000000'::uuid as id, null::text as part
        union all select t.tenant_id, null from touched t
        union all select p.person_id, p.part from connection_people p where p.connection_id = of_connection)
    -- Of two parts the actor's counts, which is first in the alphabet.
    select v.id, k.key, min(v.part)
    from viewers v cross join (
        select list_key(array_remove(array[d.id, s.id], '')) as key
        from (select '' union all select t.resource_id from touched t where t.role = 'database') d (id),
            (select '' union all select t.resource_id from touched t where t.role not in ('cluster', 'database')) s (id)
    ) k
    group by v.id, k.key
$$;

create function is_unsettled(of_connection uuid) returns boolean language sql stable
return exists (select from unsettled_connections u where u.id = of_connection);

-- Resources are recorded with their connection, or under its lock.
create function list_resources() returns trigger language plpgsql as $$
begin
    insert into connection_list_entries (unsettled, viewer, list_key, connection_id, part)
    select u.unsettled, e.viewer, e.list_key, c.connection_id, e.part
    from (select distinct connection_id from added) c
    cross join lateral (select false union all select true where is_unsettled(c.connection_id)) u (unsettled)
    cross join lateral list_entries(c.connection_id) e
    on conflict (unsettled, viewer, list_key, connection_id) do nothing;
    return null;
end
$$;
create trigger connection_resources_listed after insert on connection_resources
    referencing new table as added for each statement execute function list_resources();

create function list_added_people() returns trigger language plpgsql as $$
begin
    insert into connection_list_entries as e (unsettled, viewer, list_key, connection_id, part)
    select u.unsettled, l.viewer, l.list_key, p.connection_id, l.part
    from (select distinct connection_id, person_id from added) p
    cross join lateral (select false union all select true where is_unsettled(p.connection_id)) u (unsettled)
    cross join lateral list_entries(p.connection_id) l
    where l.viewer = p.person_id
    on conflict (unsettled, viewer, list_key, connection_id) do update set part = least(e.part, excluded.part);
    return null;
end
$$;
create trigger connection_people_added after insert on connection_people
    referencing new table as added for each statement execute function list_added_people();

-- As before, and the same in the new lists.
create or replace function list_unsettled(of_connection uuid) returns void language plpgsql as $$
begin
    perform from connections c where c.id = of_connection for no key update;
    if is_unsettled(of_connection) then
        insert into connection_list_entries (unsettled, viewer, list_key, connection_id, part)
        select true, e.viewer, e.list_key, of_connection, e.part from list_entries(of_connection) e
        on conflict (unsettled, viewer, list_key, connection_id) do nothing;

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
        delete from connection_list_entries l using list_entries(of_connection) e
        where l.unsettled and l.viewer = e.viewer and l.list_key = e.list_key and l.connection_id = of_connection;

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

-- What the columns of a connection from an event hub say of its resources.
create function event_hub_resources(database_id text, target_tenant_id uuid, source_id text, source_tenant_id uuid)
returns table (role text, resource_id text, resource_id_written text, tenant_id uuid) language sql stable as $$
    select r.role, lower(r.written collate "C"), r.written, r.tenant_id
    from (values
        ('cluster', regexp_replace(database_id, '/databases/[^/]*$', '', 'i'), target_tenant_id),
        ('database', database_id, target_tenant_id),
        ('eventHub', source_id, source_tenant_id)) r (role, written, tenant_id)
$$;

-- Replicas of the previous version record no resources.
create function resources_of_connections() returns trigger language plpgsql as $$
begin
    insert into connection_resources (connection_id, role, resource_id, resource_id_written, tenant_id)
    select c.id, r.*
    from added c cross join lateral event_hub_resources(c.database_id, c.target_tenant_id, c.source_id, c.source_tenant_id) r
    where not exists (select from connection_resources k where k.connection_id = c.id);
    return null;
end
$$;
create trigger connections_resources after insert on connections
    referencing new table as added for each statement execute function resources_of_connections();

-- What was recorded before; the trigger lists it.
insert into connection_resources (connection_id, role, resource_id, resource_id_written, tenant_id)
select c.id, r.*
from connections c cross join lateral event_hub_resources(c.database_id, c.target_tenant_id, c.source_id, c.source_tenant_id) r;

-- `migrate` gives the serving role its rights after this: until then, whoever may record a connection may have it listed.
do $$
declare
    role name;
begin
    for role in select grantee from information_schema.table_privileges
        where table_schema = current_schema() and table_name = 'connections' and privilege_type = 'INSERT'
          and grantee <> current_user
    loop
        execute format('grant select, insert on connection_resources to %I', role);
        execute format('grant select, insert, delete, update (part) on connection_list_entries to %I', role);
    end loop;
end
$$;
