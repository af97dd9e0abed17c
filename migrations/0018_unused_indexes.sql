-- No statement reads these any more: lists have entries of their own, and `connection_resources` tells who touches what. Alone in its
-- transaction, so that it waits for nobody while somebody waits for it.
drop index connections_by_target_tenant, connections_by_source_tenant, connections_by_database, connections_by_source;
