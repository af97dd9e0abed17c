-- What this service knows of each connection. Its state is derived from desired, observed and the operation under way.
create table connections (
    id uuid primary key,
    -- The data connection's resource id at ARM: in ASCII lower case to compare, and as the caller wrote it.
    arm_id text collate "C" not null,
    arm_id_written text not null,
    name text not null,
    target_tenant_id uuid not null,
    source_tenant_id uuid not null,
    database_id text not null,
    table_name text,
    mapping_name text,
    data_format text,
    source_kind text not null check (source_kind in ('eventHub')),
    source_id text not null,
    consumer_group text not null,
    location text not null,
    -- SHA-256 of the canonical request: tells a repeated create from another one.
    request_hash bytea not null,
    created_by uuid not null,
    created_at timestamptz not null,
    desired text not null check (desired in ('present', 'absent')),
    observed text not null check (observed in ('absent', 'present', 'unknown')),
    observed_at timestamptz not null,
    -- When a read first found it at ARM.
    confirmed_at timestamptz,
    -- When it became finally absent: removed, or never made. Its name is free again from then on.
    closed_at timestamptz
);

-- One record that is not finally absent for each data connection.
create unique index connections_one_open on connections (arm_id) where closed_at is null;

-- The people a connection was made by and with. Who may see it follows from this.
create table connection_people (
    connection_id uuid not null references connections (id),
    person_id uuid not null,
    part text not null check (part in ('actor', 'participant')),
    app_id uuid not null,
    -- HMAC of the token's unique id (`uti`), to match it with Entra's sign-in logs without keeping it.
    token_mark bytea,
    primary key (connection_id, person_id, part)
);

-- The list of what a person may see, newest first.
create index connection_people_by_person on connection_people (person_id, connection_id desc);

-- Free text is kept apart from the ledger, which holds a salted hash of it, so that it can be erased.
create table connection_notes (
    connection_id uuid primary key references connections (id),
    justification text not null,
    salt bytea not null
);
