-- The keys of a partitioned ledger hold the time. The other column comes first, since rows are looked up by it alone. Appends wait while
-- they are built. Alone in its transaction, so that nobody waits for more than this.
create unique index ledger_events_before_pkey on ledger_events (sequence, occurred_at);
create unique index ledger_events_before_by_id on ledger_events (id, occurred_at);
