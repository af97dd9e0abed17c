-- An operation as the service reads it: every statement that returns one returns this. `driven` tells whether its lease lasts.
create function operation_record(o operations) returns jsonb language sql stable
return jsonb_build_object(
    'id', o.id,
    'connection_id', o.connection_id,
    'kind', o.kind,
    'phase', o.phase,
    'person_id', coalesce(o.continued_by, o.person_id),
    'app_id', coalesce(o.continued_app, o.app_id),
    'correlation_id', o.correlation_id,
    'created_at', o.created_at,
    'dispatched_at', o.dispatched_at,
    'finished_at', o.finished_at,
    'deadline_at', o.deadline_at,
    'error', o.error,
    'awaiting_tenant_id', o.awaiting_tenant_id,
    'awaiting_claims', o.awaiting_claims,
    'driven', coalesce(o.lease_until > now(), false),
    'body_hash', encode(o.body_hash, 'hex'));

-- Functions may be called by everybody unless the database's defaults say otherwise. `migrate` gives the serving role its rights
-- after this: until then, whoever may read operations may read them in this form.
do $$
declare
    role name;
begin
    for role in select grantee from information_schema.table_privileges
        where table_schema = current_schema() and table_name = 'operations' and privilege_type = 'SELECT'
          and grantee not in (current_user, 'PUBLIC')
    loop
        execute format('grant execute on function operation_record(operations) to %I', role);
    end loop;
end
$$;

-- When a periodic job last succeeded, on whichever replica. What ran before this was recorded counts as a success.
alter table schedules add column succeeded_at timestamptz not null default now();
