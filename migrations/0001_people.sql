-- Who stands behind a pseudonym. The ledger and the records name people by `id` only, so erasing a row here
-- makes a person unknown without touching an event; therefore nothing references this table by a foreign key.
create table people (
    id uuid primary key,
    tenant_id uuid not null,
    object_id uuid not null,
    first_seen_at timestamptz not null,
    unique (tenant_id, object_id)
);
