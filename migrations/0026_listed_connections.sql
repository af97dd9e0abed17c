-- no-transaction
-- Lists the connections that were recorded before. One connection a transaction, under its lock, so that of this and a change the
-- second sees what the first has left, and no other waits. What was interrupted continues where it was.
do $$
declare
    old uuid;
begin
    for old in select c.id from connections c
        where not exists (select from connection_listings l where l.viewer = '00000000-0000-0000-0000-000000000000' and l.connection_id = c.id)
        order by c.id
    loop
        perform from connections c where c.id = old for update;
        perform list_connection(old);
        commit;
    end loop;
end
$$;
