-- no-transaction
-- The resources of connections that were recorded before there was a place for them; the trigger lists them. One connection a
-- transaction, under its lock, so that of this and a change the second sees what the first has left, and no other waits. `for update`
-- because whoever adds a person holds the key alone. What was interrupted goes on where it was.
do $$
declare
    old uuid;
begin
    for old in select c.id from connections c
        where not exists (select from connection_resources r where r.connection_id = c.id) order by c.id
    loop
        perform from connections c where c.id = old for update;
        insert into connection_resources (connection_id, role, resource_id, resource_id_written, tenant_id)
        select c.id, r.*
        from connections c
        cross join lateral event_hub_resources(c.database_id, c.target_tenant_id, c.source_id, c.source_tenant_id) r
        where c.id = old
        on conflict (connection_id, role, resource_id) do nothing;
        commit;
    end loop;
end
$$;
