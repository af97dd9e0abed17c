-- Each caller's first change of those that wait for a cluster, and how many of one caller wait there.
create index operations_queue_by_caller on operations (cluster_id, person_id, turn, id) where phase = 'queued';

-- The former connections of a name: a removal of one that got no answer may still be carried out.
create index connections_former on connections (arm_id, closed_at) where closed_at is not null;
