-- A page of a list looks up the revision of each of its connections, as it does the connections themselves. Alone in its
-- transaction, so that it waits for nobody while somebody waits for it.
create index connection_revisions_by_connection on connection_revisions using hash (connection_id);
