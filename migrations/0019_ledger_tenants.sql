-- The tenants that an event concerns, each once: as many as its connection touches. A constant default rewrites nothing, so that the
-- lock is short. The ledger alone, so that no other lock is held while this waits for writers. Events of before get their tenants by a
-- later migration.
alter table ledger_events add column tenant_ids uuid[] not null default '{}';

create function tenants_of_event(target uuid, source uuid) returns uuid[] language sql immutable
return array(select distinct t from unnest(array[target, source]) t where t is not null order by t);

-- Replicas of the previous version write the two columns alone.
create function set_tenants_of_event() returns trigger language plpgsql as $$
begin
    new.tenant_ids := tenants_of_event(new.target_tenant_id, new.source_tenant_id);
    return new;
end
$$;
create trigger ledger_events_tenants before insert on ledger_events
    for each row when (new.tenant_ids = '{}' and coalesce(new.target_tenant_id, new.source_tenant_id) is not null)
    execute function set_tenants_of_event();

-- `migrate` gives the serving role its rights after this: until then, whoever may append an event may append it with its tenants.
do $$
declare
    role name;
begin
    for role in select grantee from information_schema.column_privileges
        where table_schema = current_schema() and table_name = 'ledger_events' and column_name = 'details'
          and privilege_type = 'INSERT' and grantee not in (current_user, 'PUBLIC')
    loop
        execute format('grant insert (tenant_ids) on ledger_events to %I', role);
        execute format('grant execute on function tenants_of_event(uuid, uuid) to %I', role);
    end loop;
end
$$;
