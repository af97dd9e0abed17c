-- First of all, in the order in which replicas lock: one that has a connection's row and is about to change it would else wait for
-- this, and this for it.
lock table connections, operations in access exclusive mode;

-- The numbered configurations of a connection: what was asked for, what was sent to ARM, and what ARM showed when a read last
-- confirmed it. What is found at ARM is compared with the current one before anything is written there.
create table connection_revisions (
    connection_id uuid not null references connections (id),
    number integer not null check (number > 0),
    -- The settings of target and source that say how the data is taken in.
    configuration jsonb not null,
    -- The body of the request.
    sent jsonb not null,
    -- The resource as a read showed it; null until one confirmed it.
    snapshot jsonb,
    -- The api-version of the request and of that read.
    api_version text not null,
    confirmed_at timestamptz,
    primary key (connection_id, number)
);

insert into connection_revisions (connection_id, number, configuration, sent, api_version, confirmed_at)
select distinct on (c.id) c.id, 1,
    jsonb_strip_nulls(jsonb_build_object('table', c.table_name, 'mapping', c.mapping_name, 'dataFormat', c.data_format)),
    o.body, o.api_version, c.confirmed_at
from connections c join operations o on o.connection_id = c.id and o.kind = 'create' and o.body is not null
order by c.id, o.id desc;

alter table operations
    -- The revision that the operation makes, or removes.
    add column revision integer,
    -- The fingerprint of what a caller saw at ARM and named as what is to be removed.
    add column accepted_fingerprint text;

update operations set revision = 1;

-- Replicas of a version that knows nothing of revisions go on recording creates while a new one is brought in.
create function revision_of_operation() returns trigger language plpgsql as $$
begin
    if new.revision is null then
        new.revision := 1;
    end if;
    if new.kind = 'create' and new.body is not null then
        insert into connection_revisions (connection_id, number, configuration, sent, api_version)
        select c.id, new.revision,
            jsonb_strip_nulls(jsonb_build_object('table', c.table_name, 'mapping', c.mapping_name, 'dataFormat', c.data_format)),
            new.body, new.api_version
        from connections c where c.id = new.connection_id
        on conflict do nothing;
    end if;
    return new;
end
$$;
create trigger operations_revision before insert on operations for each row execute function revision_of_operation();

alter table connections
    -- Rises with each new revision and each new `found`: what a caller's If-Match names.
    add column version integer not null default 1,
    -- What ARM holds under the name although the record says otherwise: the resource, how it differs, when it was seen.
    add column found jsonb,
    -- How often a record that was closed while a create's outcome had been unknown was looked at again; null where no outcome
    -- ever was unknown.
    add column recheck_step smallint,
    -- When it is looked at next.
    add column recheck_at timestamptz;

create index connections_to_recheck on connections (recheck_at) where recheck_at is not null;

insert into schedules (name, due_at) values ('recheckClosedCreates', now());

-- `migrate` gives the serving role its rights after this: until then, whoever may record an operation may record its revision.
do $$
declare
    role name;
begin
    for role in select grantee from information_schema.table_privileges
        where table_schema = current_schema() and table_name = 'operations' and privilege_type = 'INSERT'
          and grantee <> current_user
    loop
        execute format('grant select, insert on connection_revisions to %I', role);
    end loop;
end
$$;
