-- What a mutating request with an `Idempotency-Key` came to, so that a late duplicate of it does nothing anew. A row is made
-- in the transaction of the change itself.
create table idempotency_keys (
    -- Whose key it is: the same key of another person or app is another one.
    person_id uuid not null,
    app_id uuid not null,
    -- Method and path with its parameters.
    route text collate "C" not null,
    -- SHA-256 of the key: of one size, and nothing of the caller's text is kept.
    key_hash bytea not null,
    -- SHA-256 of the canonical request: tells a repeat from another request with the same key.
    body_hash bytea not null,
    connection_id uuid not null references connections (id),
    operation_id uuid not null references operations (id),
    -- Whether the request began the operation; else it found it.
    began boolean not null,
    created_at timestamptz not null default now(),
    primary key (person_id, app_id, route, key_hash)
);

-- What the sweep looks for.
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- Periodic work, one row each: who moves `due_at` on does it, so that one replica at a time does.
create table schedules (
    name text primary key,
    due_at timestamptz not null
);

insert into schedules (name, due_at) values ('sweepIdempotencyKeys', now());
