-- The ledger in partitions by month, so that what is old goes with its partition. What was recorded so far, and what is until the next
-- month, is the first one. Nothing else is locked, and nothing is copied.
lock table ledger_events in access exclusive mode;

alter table ledger_events rename to ledger_events_before;
drop trigger ledger_events_tenants on ledger_events_before;
alter table ledger_events_before
    drop constraint ledger_events_pkey,
    drop constraint ledger_events_id_key,
    alter column sequence drop identity;
alter table ledger_events_before add primary key using index ledger_events_before_pkey;
alter index ledger_events_of_connection rename to ledger_events_before_of_connection;
alter index ledger_events_by_tenant rename to ledger_events_before_by_tenant;

create table ledger_events (
    like ledger_events_before including defaults,
    primary key (sequence, occurred_at)
) partition by range (occurred_at);
-- The feed's sequencer relies on the sequence's cache of 1, the default: a session that draws numbers ahead would use them after its
-- transaction, and its lock on the table, ended.
alter table ledger_events alter column sequence add generated always as identity;
select setval(pg_get_serial_sequence('ledger_events', 'sequence'),
    (select coalesce(max(sequence), 0) + 1 from ledger_events_before), false);
create unique index ledger_events_by_id on ledger_events (id, occurred_at);
create index ledger_events_of_connection on ledger_events (connection_id, sequence);
create index ledger_events_by_tenant on ledger_events using gin (tenant_ids);

-- For what has a time that no other partition is for: no event is refused because a clock is wrong.
create table ledger_events_other partition of ledger_events default;

-- Makes the partition of a month, from this one to a year ahead. Returns whether it was made. Writers don't wait for it.
create function make_ledger_partition(of_month date) returns boolean
language plpgsql security definer set search_path from current set lock_timeout = '2s' as $$
declare
    month date := date_trunc('month', of_month);
    name text := 'ledger_events_' || to_char(month, 'YYYYMM');
    first timestamptz := month::timestamp at time zone 'UTC';
    last timestamptz := (month + interval '1 month') at time zone 'UTC';
begin
    if month < date_trunc('month', now() at time zone 'UTC') or month > (now() at time zone 'UTC') + interval '1 year' then
        raise exception 'partitions of the ledger are made from this month to a year ahead, not for %', month;
    end if;
    if to_regclass(name) is not null then
        return false;
    end if;
    execute format('create table %I (like ledger_events including defaults)', name);
    execute format('alter table ledger_events attach partition %I for values from (%L) to (%L)', name, first, last);
    return true;
exception
    -- The first partition reaches into the month; or a clock was wrong, and what it wrote stays where it is.
    when invalid_object_definition or check_violation then return false;
end
$$;

-- The youngest age at which a partition may go: the owner's to change.
create table ledger_policy (
    minimum_age interval not null default interval '1 year' check (minimum_age >= interval '31 days')
);
create unique index ledger_policy_is_one on ledger_policy ((true));
insert into ledger_policy default values;

-- Drops the partitions whose events are all older than this. Returns their names.
create function drop_ledger_partitions(older_than interval) returns setof text
language plpgsql security definer set search_path from current set lock_timeout = '2s' as $$
declare
    part record;
begin
    -- As times: compared as such, a year is 360 days.
    if now() - older_than > (select now() - p.minimum_age from ledger_policy p) then
        raise exception 'the ledger keeps its events for at least % (ledger_policy.minimum_age)',
            (select p.minimum_age from ledger_policy p);
    end if;
    for part in
        select c.relname::text as name,
            substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([^'']+)''')::timestamptz as ends
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'ledger_events'::regclass
        order by c.relname
    loop
        -- The default one has no end.
        continue when part.ends is null or part.ends > now() - older_than;
        execute format('drop table %I', part.name);
        return next part.name;
    end loop;
end
$$;

do $$
declare
    boundary date := date_trunc('month', greatest(now(), (select max(occurred_at) from ledger_events_before)) at time zone 'UTC')
        + interval '1 month';
    role name;
begin
    execute format('alter table ledger_events attach partition ledger_events_before for values from (minvalue) to (%L)',
        boundary::timestamp at time zone 'UTC');
    for ahead in 0..2 loop
        perform make_ledger_partition((now() at time zone 'UTC' + make_interval(months => ahead))::date);
    end loop;
    -- `migrate` gives the serving role its rights after this: until then, every role that may append an event may go on.
    for role in select distinct grantee from information_schema.column_privileges
        where table_schema = current_schema() and table_name = 'ledger_events_before' and column_name = 'details'
          and privilege_type = 'INSERT' and grantee not in (current_user, 'PUBLIC')
    loop
        execute format('grant select, insert (id, occurred_at, kind, connection_id, operation_id, person_id, app_id, request_id,
            target_tenant_id, source_tenant_id, tenant_ids, details) on ledger_events to %I', role);
        execute format('revoke all on ledger_events_before from %I', role);
    end loop;
end
$$;

-- As before: replicas of older versions write the two columns alone.
create trigger ledger_events_tenants before insert on ledger_events
    for each row when (new.tenant_ids = '{}' and coalesce(new.target_tenant_id, new.source_tenant_id) is not null)
    execute function set_tenants_of_event();

revoke all on function make_ledger_partition(date) from public;
revoke all on function drop_ledger_partitions(interval) from public;

insert into schedules (name, due_at) values ('keepLedgerPartitions', now());
