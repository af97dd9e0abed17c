//! Lists of records, from rows that the database keeps for each viewer: a page examines rows that the caller may see, in the order of
//! the list, and no others.

use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{ConnectionWithRole, Creator, Row};
use crate::db::{DbError, operations, principals};
use crate::domain::{
    ActorId, ClusterId, ConnectionId, DatabaseId, FoundResource, ListFilter, ListOrder, ListPosition,
    NamePrefix, SourceScope, State, TenantId,
};

/// Which connections a page of a list holds, each once.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    /// The viewer, if the service knows them: the connections whose record names them.
    pub viewer: Option<ActorId>,
    /// And all of these.
    pub scope: Option<ListScope<'a>>,
    /// Of both, those that match.
    pub filter: &'a ListFilter,
    /// Behind this one.
    pub after: Option<ListPosition>,
    /// At most so many.
    pub limit: u32,
}

/// Connections that a caller may see although their records do not name them.
#[derive(Debug, Clone, Copy)]
pub enum ListScope<'a> {
    /// All that involve the tenant.
    Tenant(TenantId),
    /// All into the database.
    Database(&'a DatabaseId),
    /// All from the source.
    Source(&'a SourceScope),
    /// All that are unsettled; the filter says that too.
    Unsettled,
}

/// A page of a list.
#[derive(Debug)]
pub struct Listed {
    /// Its connections, without those that this version cannot read.
    pub connections: Vec<ConnectionWithRole>,
    /// Where the page ends, if there may be another one.
    pub next: Option<ListPosition>,
}

/// A page of a list. A record that this version cannot read, since another one wrote it, is logged and left out: it must not hide the
/// others.
///
/// The statement examines a bounded number of rows, however few of them match: so its cost is bounded for every filter, and a page may
/// hold fewer connections than its limit, or none, although another one follows.
pub async fn list(db: &mut PgConnection, selection: &Selection<'_>) -> Result<Listed, DbError> {
    let mut rows = match selection.filter.order {
        ListOrder::Creation => by_creation(&mut *db, selection).await?,
        ListOrder::Name => by_name(&mut *db, selection).await?,
    };
    let next = rows.last().filter(|row| row.continues).map(position);
    rows.retain(|row| row.matches);
    let mut connections: Vec<ConnectionWithRole> = rows.into_iter().filter_map(readable).collect();
    add_creators(db, &mut connections).await?;
    Ok(Listed { connections, next })
}

fn position(row: &Row) -> ListPosition {
    ListPosition {
        id: ConnectionId::new(row.id),
        name: row.name.to_ascii_lowercase(),
    }
}

/// A statement over the rows of the viewers `$2` behind a position. Each branch reads one range of an index, in the order of the list
/// and only as far as needed; a viewer that is null reads nothing. Its limit is known when the statement is planned, so that no plan
/// reads all of a range to sort it. A connection that two viewers see is next to itself. The last row that is examined is returned
/// even if it does not match: the next page begins behind it. A page can't be longer than that.
macro_rules! over_listings {
    ($matches:literal, $position:literal, $order:literal, $outer:literal, $($argument:expr),+) => {
        select!(
            part: "page.part",
            creator: "null::jsonb",
            listed: "page.matches as \"matches!\", page.continues as \"continues!\"",
            from: ("(select *, coalesce(lead(true) over (), v.last_examined) as continues from (
                select * from (
                    select s.connection_id, s.name, row_number() over o = 200 as last_examined,
                        least(s.part, case when lead(s.connection_id) over o = s.connection_id then lead(s.part) over o end) as part,
                        s.tags @> $3" + $matches + " and lag(s.connection_id) over o is distinct from s.connection_id as matches
                    from (
                        (select l.* from connection_listings l where l.viewer = ($2::uuid[])[1] and l.shelf = 'active'" + $position + "
                        union all
                        (select l.* from connection_listings l where l.viewer = ($2::uuid[])[2] and l.shelf = 'changing'" + $position + "
                        union all
                        (select l.* from connection_listings l where l.viewer = ($2::uuid[])[3] and l.shelf = 'finished'" + $position + "
                        union all
                        (select l.* from connection_listings l where l.viewer = ($2::uuid[])[4] and l.shelf = 'active'" + $position + "
                        union all
                        (select l.* from connection_listings l where l.viewer = ($2::uuid[])[5] and l.shelf = 'changing'" + $position + "
                        union all
                        (select l.* from connection_listings l where l.viewer = ($2::uuid[])[6] and l.shelf = 'finished'" + $position + "
                        order by " + $order + " limit 200
                    ) s window o as (order by " + $order + ")
                 ) w where w.matches or w.last_examined) v limit $1) page
                 cross join lateral (select * from connections k where k.id = page.connection_id limit 1) c"),
            $outer,
            $($argument),+
        )
    };
}

async fn by_creation(db: &mut PgConnection, selection: &Selection<'_>) -> Result<Vec<Row>, DbError> {
    let after = selection.after.as_ref();
    let rows = over_listings!(
        " and starts_with(s.name, $5)",
        // Ids are UUIDv7, so their order is the order of creation. Always a bound, so that each page begins inside the index.
        " and l.connection_id < $4 order by l.connection_id desc limit 200)",
        "connection_id desc",
        "order by page.connection_id desc",
        i64::from(selection.limit),
        &viewers(selection) as &[Option<Uuid>],
        &tags(selection.filter),
        after.map_or(Uuid::max(), |after| after.id.uuid()),
        prefix(selection.filter)
    );
    Ok(rows.fetch_all(db).await?)
}

async fn by_name(db: &mut PgConnection, selection: &Selection<'_>) -> Result<Vec<Row>, DbError> {
    let (after, prefix) = (selection.after.as_ref(), prefix(selection.filter));
    let rows = over_listings!(
        "",
        " and (l.name, l.connection_id) > ($4, $5) and l.name < $6 order by l.name, l.connection_id limit 200)",
        "name, connection_id",
        "order by page.name, page.connection_id",
        i64::from(selection.limit),
        &viewers(selection) as &[Option<Uuid>],
        &tags(selection.filter),
        after.map_or(prefix, |after| &after.name),
        after.map_or(Uuid::nil(), |after| after.id.uuid()),
        // Behind all names that begin like this.
        format!("{prefix}{}", char::MAX)
    );
    Ok(rows.fetch_all(db).await?)
}

fn prefix(filter: &ListFilter) -> &str {
    filter.name.as_ref().map_or("", NamePrefix::as_str)
}

/// The viewers whose rows a list examines: for each shelf that it needs, those who see the scope, then the caller.
fn viewers(selection: &Selection<'_>) -> [Option<Uuid>; 6] {
    let filter = selection.filter;
    let shelves = match filter.state {
        None => [true, true, filter.with_finished],
        Some(State::Active) => [true, false, false],
        Some(State::Removed | State::Failed) => [false, false, true],
        Some(_) => [false, true, false],
    };
    let scope = selection.scope.map(|scope| match scope {
        ListScope::Tenant(tenant) => tenant.uuid(),
        ListScope::Database(database) => viewer_of(database.resource().canonical()),
        ListScope::Source(source) => viewer_of(&source.canonical()),
        ListScope::Unsettled => Uuid::nil(),
    });
    let caller = selection.viewer.map(ActorId::uuid);
    let [active, changing, finished] = shelves;
    [
        (active, scope),
        (changing, scope),
        (finished, scope),
        (active, caller),
        (changing, caller),
        (finished, caller),
    ]
    .map(|(is_needed, viewer)| viewer.filter(|_| is_needed))
}

/// All who may read a resource, as a viewer: `list_key` in the database.
fn viewer_of(resource_id: &str) -> Uuid {
    let digest: [u8; 32] = Sha256::digest(resource_id).into();
    let [first, ..] = digest.as_chunks::<16>().0 else {
        return Uuid::nil();
    };
    Uuid::from_bytes(*first)
}

/// What all connections of a list have: the hashes of `list_tag` in the database.
fn tags(filter: &ListFilter) -> Vec<i64> {
    let cluster = filter.cluster.as_ref().map(ClusterId::resource);
    let database = filter.database.as_ref().map(DatabaseId::resource);
    let properties = [
        filter.state.map(|state| format!("state {}", state.as_str())),
        filter.kind.map(|kind| format!("kind {kind}")),
        filter.tenant.map(|tenant| format!("tenant {tenant}")),
        cluster.map(|id| format!("cluster {}", id.canonical())),
        database.map(|id| format!("database {}", id.canonical())),
        filter
            .source
            .as_ref()
            .map(|source| format!("source {}", source.canonical())),
        filter.is_mine.then(|| "actor".to_owned()),
    ];
    properties.into_iter().flatten().map(tag).collect()
}

fn tag(property: String) -> i64 {
    let digest: [u8; 32] = Sha256::digest(property).into();
    let [first, ..] = digest.as_chunks::<8>().0 else {
        return 0;
    };
    i64::from_be_bytes(*first)
}

/// Adds who created the connections: one statement for all, since most pages have few creators.
async fn add_creators(db: &mut PgConnection, connections: &mut [ConnectionWithRole]) -> Result<(), DbError> {
    let mut ids: Vec<Uuid> = connections
        .iter()
        .map(|found| found.record.created_by.uuid())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let known = principals::identify(db, &ids).await?;
    for found in connections {
        found.record.creator = known.get(&found.record.created_by).cloned();
    }
    Ok(())
}

/// A record, unless this version cannot read it.
fn readable(row: Row) -> Option<ConnectionWithRole> {
    let id = row.id;
    row.found()
        .inspect_err(|error| tracing::error!(connection.id = %id, %error, "a list leaves out a record that cannot be read"))
        .ok()
}
