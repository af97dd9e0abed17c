-- First of all, in the order in which replicas lock: one that has changed an operation and is about to change its connection would
-- else wait for this, and this for it. Who only reads is not kept waiting. Nothing here takes long: what was recorded before is listed
-- by a later migration, which locks one connection at a time.
lock table connections, connection_people, connection_resources, operations in exclusive mode;

-- The lists: a row for each connection and each viewer who may see it. It has what lists are filtered and ordered by, so that a page
-- examines rows of an index that the caller may see, and no others. It takes the place of `connection_list_entries`, which is still
-- written for replicas of the previous version.
create table connection_listings (
    -- A person (`people.id`), a tenant that the connection involves, or the hash of a resource id: all who may read that resource at
    -- ARM. The nil UUID stands for operators, who may see what is unsettled.
    viewer uuid not null,
    connection_id uuid not null,
    -- `active`, `finished` (removed, failed) or `changing` (all other states): a list that asks for few examines few.
    shelf text collate "C" not null,
    -- In ASCII lower case.
    name text collate "C" not null,
    -- What the person is to the connection; null for all others.
    part text collate "C",
    -- Hashes of all that lists can be filtered by: see `list_tag`.
    tags bigint[] not null,
    primary key (viewer, connection_id)
);
create index connection_listings_by_creation on connection_listings (viewer, shelf, connection_id) include (part, name, tags);
create index connection_listings_by_name on connection_listings (viewer, shelf, name, connection_id) include (part, tags);

-- The first 8 bytes of SHA-256 of a property in words, such as `state active` or `source /subscriptions/…`: short, so that many rows
-- fit into a page, and long enough that no two properties meet.
create function list_tag(property text) returns bigint language sql immutable
return ('x' || left(encode(sha256(convert_to(property, 'UTF8')), 'hex'), 16))::bit(64)::bigint;

-- The state that the API shows, as `derive` in the service.
create function connection_state(of_connection uuid) returns text language sql stable as $$
    select case
        when exists (select from operations s where s.connection_id = c.id and s.phase = 'settling') then 'unsettled'
        when o.kind is not null and c.desired = 'absent' then 'removing'
        when o.kind = 'create' then 'creating'
        when o.kind = 'remove' then 'removing'
        when c.observed = 'unknown' then 'unsettled'
        when c.desired = 'absent' then case c.observed when 'present' then 'removing' else 'removed' end
        when c.observed = 'present' then case when c.confirmed_at is null then 'unsettled' else 'active' end
        else case when c.confirmed_at is null then 'failed' else 'missing' end
    end
    from connections c left join lateral (
        select p.kind from operations p where p.connection_id = c.id and p.phase in ('queued', 'dispatched', 'accepted')
        order by p.phase <> 'queued', p.id desc limit 1) o on true
    where c.id = of_connection
$$;

-- The resources by which a connection's source can be named: itself, its namespace and its subscription.
create function source_scopes(of_connection uuid) returns setof text language sql stable rows 3 as $$
    select s.id
    from connection_resources r
    cross join lateral (
        select r.resource_id
        union select substring(r.resource_id from '^(.*/providers/microsoft\.eventhub/namespaces/[^/]+)/eventhubs/[^/]+$')
        union select substring(r.resource_id from '^/subscriptions/[^/]+')) s (id)
    where r.connection_id = of_connection and r.role not in ('cluster', 'database') and s.id is not null
$$;

create function listing_viewers(of_connection uuid) returns table (viewer uuid, part text) language sql stable rows 8 as $$
    -- Of two parts the actor's counts, which is first in the alphabet.
    select v.id, min(v.part)
    from (
        select '00000000-0000-0000-0000-000000000000'::uuid, null::text
        union all select r.tenant_id, null from connection_resources r where r.connection_id = of_connection
        union all select list_key(array[r.resource_id]), null from connection_resources r
            where r.connection_id = of_connection and r.role = 'database'
        union all select list_key(array[s.id]), null from source_scopes(of_connection) s (id)
        union all select p.person_id, p.part from connection_people p where p.connection_id = of_connection) v (id, part)
    group by v.id
$$;

create function listing_tags(of_connection uuid) returns bigint[] language sql stable as $$
    select array_agg(distinct list_tag(t.property))
    from (
        select 'state ' || connection_state(of_connection)
        union all select 'kind ' || c.source_kind from connections c where c.id = of_connection
        union all select 'tenant ' || r.tenant_id from connection_resources r where r.connection_id = of_connection
        union all select r.role || ' ' || r.resource_id from connection_resources r
            where r.connection_id = of_connection and r.role in ('cluster', 'database')
        union all select 'source ' || s.id from source_scopes(of_connection) s (id)) t (property)
$$;

-- Lists a connection as it is now, once it has an operation: before that it is still being recorded. Under the connection's lock, so
-- that of two changes the second sees what the first has left.
create function list_connection(of_connection uuid) returns void language plpgsql as $$
declare
    state text := connection_state(of_connection);
    tags bigint[] := listing_tags(of_connection);
begin
    insert into connection_listings as l (viewer, connection_id, shelf, name, part, tags)
    select v.viewer, c.id,
        case when state = 'active' then 'active' when state in ('removed', 'failed') then 'finished' else 'changing' end,
        lower(c.name collate "C"), v.part,
        tags || case when v.part = 'actor' then array[list_tag('actor')] else '{}' end
    from connections c cross join lateral listing_viewers(c.id) v
    where c.id = of_connection
    on conflict (viewer, connection_id) do update set shelf = excluded.shelf, part = excluded.part, tags = excluded.tags
    where (l.shelf, l.part, l.tags) is distinct from (excluded.shelf, excluded.part, excluded.tags);
end
$$;

-- Of one that has no operation yet, nothing is listed.
create function list_connections_again(ids uuid[]) returns void language plpgsql as $$
begin
    perform from connections c where c.id = any(ids) order by c.id for no key update;
    perform list_connection(i.id) from unnest(ids) i (id)
    where exists (select from operations o where o.connection_id = i.id);
end
$$;

create function list_added() returns trigger language plpgsql as $$
begin
    perform list_connections_again(array(select distinct a.connection_id from added a));
    return null;
end
$$;
create trigger connection_people_listed_again after insert on connection_people
    referencing new table as added for each statement execute function list_added();
create trigger connection_resources_listed_again after insert on connection_resources
    referencing new table as added for each statement execute function list_added();

-- The triggers that keep `unsettled` fire whenever a state may have changed. They list what is unsettled as before, for replicas of the
-- previous version, and list the connection as it is now.
alter function list_unsettled(uuid) rename to list_unsettled_entries;
create function list_unsettled(of_connection uuid) returns void language plpgsql as $$
begin
    perform list_unsettled_entries(of_connection);
    perform list_connections_again(array[of_connection]);
end
$$;

-- `migrate` gives the serving role its rights after this: until then, whatever may record a connection may have it listed.
do $$
declare
    role name;
begin
    for role in select grantee from information_schema.table_privileges
        where table_schema = current_schema() and table_name = 'connections' and privilege_type = 'INSERT'
          and grantee not in (current_user, 'PUBLIC')
    loop
        execute format('grant select, insert, update (shelf, part, tags) on connection_listings to %I', role);
    end loop;
end
$$;
