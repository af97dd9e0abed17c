-- A page of a list reads its entries from the index alone, the part included. Alone in its transaction, so that it waits for nobody
-- while somebody waits for it.
alter table connection_list_entries drop constraint connection_list_entries_pkey,
    add primary key (unsettled, viewer, list_key, connection_id) include (part);
