-- Lists by what a connection touches, newest first: all of a tenant's, of a database's, of a source's.
create index connections_by_target_tenant on connections (target_tenant_id, id desc);
create index connections_by_source_tenant on connections (source_tenant_id, id desc);
-- Resource ids are compared in ASCII lower case, and are kept as they were written.
create index connections_by_database on connections (lower(database_id collate "C"), id desc);
create index connections_by_source on connections (lower(source_id collate "C"), id desc);
