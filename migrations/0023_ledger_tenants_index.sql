-- Appends wait while it is built, which is quick: no event of before has tenants yet. Alone in its transaction, so that nobody waits for
-- more than this.
create index ledger_events_by_tenant on ledger_events using gin (tenant_ids);
