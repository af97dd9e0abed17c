-- What was asked, decided, sent and answered. The serving role can add and read events, never change them.
create table ledger_events (
    sequence bigint generated always as identity primary key,
    id uuid not null unique,
    occurred_at timestamptz not null,
    kind text not null,
    connection_id uuid,
    operation_id uuid,
    person_id uuid,
    app_id uuid,
    request_id text,
    target_tenant_id uuid,
    source_tenant_id uuid,
    details jsonb not null
);

create index ledger_events_of_connection on ledger_events (connection_id, sequence);
