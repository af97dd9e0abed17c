-- The feed: the order in which the ledger's events are read. Identity values are drawn before transactions commit, so an event with a
-- lower `sequence` can appear after one with a higher one was read. A position is given after the commit, so it can't.

-- Within an epoch positions are dense, and never change. A new one begins where positions that were given may be lost: after the
-- database was restored from a backup. The newest counts.
create table feed_epochs (
    epoch bigint primary key default (extract(epoch from clock_timestamp()) * 1000)::bigint,
    begun_at timestamptz not null default clock_timestamp(),
    -- Every event up to this `sequence` has a position in this epoch, or was never committed.
    numbered_up_to bigint not null default 0
);
insert into feed_epochs default values;

create table feed (
    epoch bigint not null,
    -- From 1.
    position bigint not null,
    event_sequence bigint not null,
    event_occurred_at timestamptz not null,
    -- SHA-256 of the event's canonical form, and the version of that form.
    hash bytea not null,
    hash_version smallint not null,
    primary key (epoch, position)
);
create unique index feed_by_event on feed (epoch, event_sequence);

insert into schedules (name, due_at) values ('numberEvents', now());
