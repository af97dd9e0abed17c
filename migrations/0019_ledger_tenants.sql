-- The tenants that an event concerns, each once: as many as its connection touches. The ledger alone, so that no other lock is held
-- while this waits for writers.
alter table ledger_events add column tenant_ids uuid[] not null default '{}';

update ledger_events set tenant_ids = array(
    select distinct t from unnest(array[target_tenant_id, source_tenant_id]) t where t is not null order by t)
where target_tenant_id is not null or source_tenant_id is not null;

create index ledger_events_by_tenant on ledger_events using gin (tenant_ids);

-- Replicas of the previous version write the two columns alone.
create function tenants_of_event() returns trigger language plpgsql as $$
begin
    new.tenant_ids := array(
        select distinct t from unnest(array[new.target_tenant_id, new.source_tenant_id]) t where t is not null order by t);
    return new;
end
$$;
create trigger ledger_events_tenants before insert on ledger_events
    for each row when (new.tenant_ids = '{}' and coalesce(new.target_tenant_id, new.source_tenant_id) is not null)
    execute function tenants_of_event();
