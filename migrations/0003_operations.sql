-- One long-running change of one connection. The row is also the job: whoever holds its lease may step it.
create table operations (
    id uuid primary key,
    connection_id uuid not null references connections (id),
    kind text not null check (kind in ('create', 'remove')),
    phase text not null check (
        phase in ('queued', 'dispatched', 'accepted', 'settling', 'succeeded', 'failed')
    ),
    person_id uuid not null,
    app_id uuid not null,
    correlation_id uuid not null,
    -- What is sent to ARM, and its SHA-256. Null for a removal.
    body jsonb,
    body_hash bytea,
    api_version text not null,
    -- When a GET found nothing at ARM, directly before the intent was committed.
    absence_seen_at timestamptz,
    created_at timestamptz not null,
    dispatched_at timestamptz,
    finished_at timestamptz,
    -- Where ARM says how far it is: kept verbatim, since newer ones are signed.
    arm_operation_url text,
    -- Reads in a row that found nothing while the outcome was unknown.
    absent_reads integer not null default 0,
    error jsonb,
    -- For which tenant a token is needed before this can go on.
    awaiting_tenant_id uuid,
    due_at timestamptz not null,
    deadline_at timestamptz not null,
    attempts integer not null default 0,
    lease_token uuid,
    lease_until timestamptz
);

-- At most one change in flight for each connection, across replicas.
create unique index operations_one_in_flight on operations (connection_id)
    where phase in ('dispatched', 'accepted', 'settling');

-- What the worker looks for.
create index operations_due on operations (due_at)
    where phase in ('queued', 'dispatched', 'accepted', 'settling');

create index operations_of_connection on operations (connection_id, id desc);
