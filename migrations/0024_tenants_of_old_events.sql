-- The tenants of events that were recorded before there was a place for them. Nobody waits: events are never changed otherwise.
update ledger_events set tenant_ids = tenants_of_event(target_tenant_id, source_tenant_id)
where tenant_ids = '{}' and coalesce(target_tenant_id, source_tenant_id) is not null;
