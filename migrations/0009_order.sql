-- One change in flight for each cluster, since Kusto refuses parallel ones: who waits, whose turn it is, and who is at it.
alter table operations
    -- The cluster, in ASCII lower case.
    add column cluster_id text collate "C",
    -- The round in which a queued operation gets its turn: each caller has one turn in a round.
    add column turn bigint not null default 0,
    -- How often it was sent, or may have been.
    add column dispatches integer not null default 0,
    -- The replica that has its tokens, as long as that one lives.
    add column holder uuid;

-- Replicas of a version that knows nothing of this go on recording operations while a new one is brought in.
create function cluster_of_operation() returns trigger language plpgsql as $$
begin
    if new.cluster_id is null then
        select substring(c.arm_id from '^(.*)/databases/[^/]+/dataconnections/[^/]+$') into new.cluster_id
        from connections c where c.id = new.connection_id;
    end if;
    return new;
end
$$;
create trigger operations_cluster before insert on operations for each row execute function cluster_of_operation();

update operations o set cluster_id = substring(c.arm_id from '^(.*)/databases/[^/]+/dataconnections/[^/]+$')
from connections c where c.id = o.connection_id;

-- Those who wait for their turn, in order.
create index operations_queue on operations (cluster_id, turn, id) where phase = 'queued';

-- One row for each cluster that was ever changed.
create table cluster_slots (
    cluster_id text collate "C" primary key,
    -- The change in flight; null when there is none.
    operation_id uuid references operations (id) deferrable initially deferred,
    -- Until when it keeps others waiting at most: after that, ARM decides whether it takes another.
    held_until timestamptz,
    -- The round that the last change which waited was of.
    round bigint not null default 0,
    -- ARM asked that nothing be sent before.
    not_before timestamptz
);

-- The replicas that live: each says so again and again.
create table replicas (
    id uuid primary key,
    alive_until timestamptz not null
);
