-- First of all, in the order in which replicas lock: one that has changed an operation and is about to change its connection would
-- else wait for this, and this for it. Who only reads is not kept waiting. Nothing here takes long: what was recorded before is listed
-- by a later migration, which locks one connection at a time.
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

-- The lists that hold a connection: of all, of its database, of each resource of its source, of both.
create function list_keys(of_connection uuid) returns setof uuid language sql stable rows 4 as $$
    with touched as materialized (
        select r.role, r.resource_id from connection_resources r
        where r.connection_id = of_connection and r.role <> 'cluster')
    select list_key(array_remove(array[d.id, s.id], ''))
    from (select '' union all select t.resource_id from touched t where t.role = 'database') d (id),
        (select '' union all select t.resource_id from touched t where t.role <> 'database') s (id)
$$;

-- Whose lists hold it.
create function list_viewers(of_connection uuid) returns table (viewer uuid, part text) language sql stable rows 5 as $$
    -- Of two parts the actor's counts, which is first in the alphabet.
    select v.id, min(v.part)
    from (
        select '00000000-0000-0000-0000-000000000000'::uuid, null::text
        union all select r.tenant_id, null from connection_resources r where r.connection_id = of_connection
        union all select p.person_id, p.part from connection_people p where p.connection_id = of_connection) v (id, part)
    group by v.id
$$;

create function is_unsettled(of_connection uuid) returns boolean language sql stable
return exists (select from unsettled_connections u where u.id = of_connection);

-- Resources are recorded with their connection, or under its lock.
create function list_resources() returns trigger language plpgsql as $$
begin
    insert into connection_list_entries as e (unsettled, viewer, list_key, connection_id, part)
    select u.unsettled, v.viewer, k.key, c.connection_id, v.part
    from (select distinct connection_id from added) c
    cross join lateral (select false union all select true where is_unsettled(c.connection_id)) u (unsettled)
    cross join lateral list_keys(c.connection_id) k (key)
    cross join lateral list_viewers(c.connection_id) v
    -- Who was added to a connection whose resources were not recorded yet stands in the list of all with that part alone.
    on conflict (unsettled, viewer, list_key, connection_id) do update set part = least(e.part, excluded.part);
    return null;
end
$$;
create trigger connection_resources_listed after insert on connection_resources
    referencing new table as added for each statement execute function list_resources();

create function list_added_people() returns trigger language plpgsql as $$
begin
    insert into connection_list_entries as e (unsettled, viewer, list_key, connection_id, part)
    select u.unsettled, p.person_id, k.key, p.connection_id, p.part
    from (select connection_id, person_id, min(part) as part from added group by 1, 2) p
    cross join lateral (select false union all select true where is_unsettled(p.connection_id)) u (unsettled)
    cross join lateral list_keys(p.connection_id) k (key)
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
        select true, v.viewer, k.key, of_connection, v.part from list_keys(of_connection) k (key), list_viewers(of_connection) v
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
        delete from connection_list_entries e using list_keys(of_connection) k (key), list_viewers(of_connection) v
        where e.unsettled and e.viewer = v.viewer and e.list_key = k.key and e.connection_id = of_connection;

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

-- `migrate` gives the serving role its rights after this: until then, whoever may record a connection may have it listed.
do $$
declare
    role name;
begin
    for role in select grantee from information_schema.table_privileges
        where table_schema = current_schema() and table_name = 'connections' and privilege_type = 'INSERT'
          and grantee not in (current_user, 'PUBLIC')
    loop
        execute format('grant select, insert on connection_resources to %I', role);
        execute format('grant select, insert, delete, update (part) on connection_list_entries to %I', role);
    end loop;
end
$$;
