-- Each caller's first change of those that wait for a cluster, and how many of one caller wait there.
create index operations_queue_by_caller on operations (cluster_id, person_id, turn, id) where phase = 'queued';

-- What may be unsettled, the latest first: of each connection that stands, the operation decides.
create index connections_unsettled on connections (id desc)
    where closed_at is null
      and (observed = 'unknown' or (desired = 'present' and observed = 'present' and confirmed_at is null));

-- The connections of which no read has told yet whether a change happened, as the service derives it.
create view unsettled_connections as
select o.connection_id as id from operations o where o.phase = 'settling'
union
select c.id from connections c
where c.closed_at is null
  and (c.observed = 'unknown' or (c.desired = 'present' and c.observed = 'present' and c.confirmed_at is null))
  and not exists (select from operations o
    where o.connection_id = c.id and o.phase in ('queued', 'dispatched', 'accepted', 'settling'));

-- The former connections of a name: a removal of one that got no answer may still be carried out.
create index connections_former on connections (arm_id, closed_at) where closed_at is not null;
