-- The feed: the order in which the ledger's events are read. Identity values are drawn before transactions commit, so an event with a
-- lower `sequence` can appear after one with a higher one was read. A position is given after the commit, so it can't.

-- Within an epoch positions are dense, and never change. A new one begins where positions that were given may be lost: after the
-- database was restored from a backup. The greatest counts.
create table feed_epochs (
    epoch bigint primary key,
    begun_at timestamptz not null default clock_timestamp(),
    -- Every event up to this `sequence` has a position in this epoch, or was never committed.
    numbered_up_to bigint not null default 0
);

-- Begins a new epoch, and returns it: for the owner, after a restore. By the clock, so that it is none of those that a backup lacks.
create function begin_feed_epoch() returns bigint
language sql set search_path from current as $$
    insert into feed_epochs (epoch)
    select greatest((select max(e.epoch) + 1 from feed_epochs e), (extract(epoch from clock_timestamp()) * 1000)::bigint)
    returning epoch
$$;
revoke all on function begin_feed_epoch() from public;
select begin_feed_epoch();

create table feed (
    epoch bigint not null,
    -- From 1.
    position bigint not null,
    event_sequence bigint not null,
    event_occurred_at timestamptz not null,
    -- The event's own, so that its connection's part of the feed is found.
    connection_id uuid,
    -- SHA-256 of the event's canonical form, and the version of that form.
    hash bytea not null,
    hash_version smallint not null,
    primary key (epoch, position)
);
create unique index feed_by_event on feed (epoch, event_sequence);
create index feed_of_connection on feed (epoch, connection_id, position) where connection_id is not null;

insert into schedules (name, due_at) values ('numberEvents', now());
