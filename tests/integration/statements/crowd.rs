//! Many connections of others, beside one that was really made; and which of them a viewer sees by a filter, told without the database.

use azure_emulator::how_to;
use sqlx::{AssertSqlSafe, PgConnection};
use tenant_bridge::db::connections::ListScope;
use tenant_bridge::domain::{ActorId, EVENT_HUB, ListFilter, ListOrder, State};
use uuid::Uuid;

/// Who made all of the crowd.
const OWNER: &str = "0e000000-0000-7000-8000-000000000001";
/// Who took part in the three oldest.
const GUEST: &str = "0e000000-0000-7000-8000-000000000002";
/// Who has nothing.
const STRANGER: &str = "0e000000-0000-7000-8000-000000000003";

/// How many are listed one by one. The others are copies of their rows: the crowd repeats itself every twenty.
pub(super) const LISTED: u32 = 300;

/// Who looks at a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Viewer {
    Stranger,
    Guest,
    Owner,
    /// Has nothing, but a role in the source's tenant.
    Role,
    /// Made all of them, and has that role.
    OwnerWithRole,
    /// May read at Azure what the filter names.
    Allowed,
    Operator,
}

impl Viewer {
    pub(super) const ALL: [Self; 7] = [
        Self::Stranger,
        Self::Guest,
        Self::Owner,
        Self::Role,
        Self::OwnerWithRole,
        Self::Allowed,
        Self::Operator,
    ];

    pub(super) fn person(self) -> ActorId {
        let id = match self {
            Self::Owner | Self::OwnerWithRole => OWNER,
            Self::Guest => GUEST,
            _ => STRANGER,
        };
        ActorId::new(id.parse().expect("an id"))
    }

    /// What they see besides their own; none if there is no such list.
    pub(super) fn scope(self, filter: &ListFilter) -> Option<Option<ListScope<'_>>> {
        match self {
            Self::Stranger | Self::Guest | Self::Owner => Some(None),
            _ if filter.is_mine => None,
            Self::Role | Self::OwnerWithRole => {
                let tenant = how_to::DOMAIN2.parse().expect("a tenant");
                Some(Some(ListScope::Tenant(tenant)))
            }
            Self::Allowed => match (&filter.database, &filter.source) {
                (Some(database), _) => Some(Some(ListScope::Database(database))),
                (None, Some(source)) => Some(Some(ListScope::Source(source))),
                (None, None) => None,
            },
            Self::Operator => (filter.state == Some(State::Unsettled)).then_some(Some(ListScope::Unsettled)),
        }
    }

    fn sees(self, member: u32) -> bool {
        match self {
            Self::Stranger => false,
            Self::Guest => (1..=3).contains(&member),
            // All but the one that was really made.
            Self::Owner => member > 0,
            Self::Role | Self::OwnerWithRole | Self::Allowed | Self::Operator => true,
        }
    }
}

/// One condition of a filter, and which members it leaves.
pub(super) struct Condition {
    pub(super) name: &'static str,
    set: fn(&mut ListFilter),
    leaves: fn(u32) -> bool,
}

fn state(member: u32) -> State {
    match member % 20 {
        _ if member == 0 => State::Active,
        1 | 4 => State::Unsettled,
        2 | 7 | 12 | 17 => State::Removed,
        _ => State::Active,
    }
}

/// Whether it is of the second database and source.
fn is_second(member: u32) -> bool {
    member > 0 && member.is_multiple_of(4)
}

fn name(member: u32) -> String {
    if member == 0 {
        "telemetry".to_owned()
    } else {
        format!("telemetry{member:06}")
    }
}

fn second(id: &str, kind: &str) -> String {
    let (before, after) = id.split_once(&format!("/{kind}/")).expect("of that kind");
    let (name, rest) = after.split_once('/').unwrap_or((after, ""));
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!("/{rest}")
    };
    format!("{before}/{kind}/{name}2{rest}")
}

macro_rules! conditions {
    ($($name:literal: $set:expr, $leaves:expr;)+) => {
        vec![$(Condition { name: $name, set: $set, leaves: $leaves }),+]
    };
}

/// Each filter with values that leave many, few and none.
pub(super) fn conditions() -> Vec<Condition> {
    fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> Option<T> {
        Some(text.parse().expect(text))
    }
    conditions! {
        "state active": |f| f.state = Some(State::Active), |m| state(m) == State::Active;
        "state unsettled": |f| f.state = Some(State::Unsettled), |m| state(m) == State::Unsettled;
        "state removed": |f| f.state = Some(State::Removed), |m| state(m) == State::Removed;
        "state missing": |f| f.state = Some(State::Missing), |_| false;
        "kind": |f| f.kind = Some(EVENT_HUB), |_| true;
        "tenant": |f| f.tenant = parsed(how_to::DOMAIN1), |_| true;
        "tenant of none": |f| f.tenant = parsed(OWNER), |_| false;
        "cluster": |f| f.cluster = parsed(how_to::CLUSTER), |m| !is_second(m);
        "cluster 2": |f| f.cluster = parsed(&second(how_to::CLUSTER, "clusters")), is_second;
        "database": |f| f.database = parsed(how_to::DATABASE), |m| !is_second(m);
        "database 2": |f| f.database = parsed(&second(how_to::DATABASE, "clusters")), is_second;
        "hub": |f| f.source = parsed(how_to::HUB1), |m| !is_second(m);
        "namespace 2": |f| f.source = parsed(&second(how_to::NAMESPACE, "namespaces")), is_second;
        "subscription": |f| f.source = parsed(&format!("/subscriptions/{}", how_to::SUBSCRIPTION2)), |_| true;
        "hub of none": |f| f.source = parsed(how_to::HUB2), |_| false;
        "name": |f| f.name = parsed("Telemetry00"), |m| name(m).starts_with("telemetry00");
        "name of few": |f| f.name = parsed("telemetry0002"), |m| name(m).starts_with("telemetry0002");
        "name of none": |f| f.name = parsed("z"), |_| false;
        "mine": |f| f.is_mine = true, |_| true;
        "finished too": |f| f.with_finished = true, |_| true;
    }
}

/// A filter of these conditions; none if two of them are of the same parameter.
pub(super) fn filter_of(conditions: &[&Condition], order: ListOrder) -> Option<ListFilter> {
    let parameter = |condition: &Condition| match condition
        .name
        .split_once(' ')
        .map_or(condition.name, |(word, _)| word)
    {
        "hub" | "namespace" | "subscription" => "source",
        word => word,
    };
    let mut parameters: Vec<&str> = conditions.iter().map(|condition| parameter(condition)).collect();
    parameters.sort_unstable();
    parameters.dedup();
    let mut filter = ListFilter {
        order,
        ..ListFilter::default()
    };
    for condition in conditions {
        (condition.set)(&mut filter);
    }
    (parameters.len() == conditions.len()).then_some(filter)
}

/// Three quarters are of the made one's database and source; the fourth is of another cluster and another namespace. Every tenth is
/// unsettled, every fifth removed.
pub(super) struct Crowd {
    size: u32,
    /// The one that was really made.
    made: Uuid,
}

impl Crowd {
    pub(super) async fn beside(db: &mut PgConnection) -> Self {
        let made = sqlx::query_scalar("select id from connections");
        Self {
            size: 0,
            made: made.fetch_one(db).await.expect("a connection"),
        }
    }

    /// What a viewer finds by these conditions, in the order of the list.
    pub(super) fn expected(
        &self,
        viewer: Viewer,
        conditions: &[&Condition],
        filter: &ListFilter,
    ) -> Vec<Uuid> {
        let is_open =
            |member: u32| filter.with_finished || filter.state.is_some() || state(member) != State::Removed;
        let is_mine = |member: u32| match viewer {
            Viewer::Owner | Viewer::OwnerWithRole => member > 0,
            _ => false,
        };
        let mut members: Vec<u32> = (0..=self.size)
            .filter(|&member| viewer.sees(member) && is_open(member))
            .filter(|&member| conditions.iter().all(|condition| (condition.leaves)(member)))
            .filter(|&member| !filter.is_mine || is_mine(member))
            .collect();
        match filter.order {
            ListOrder::Creation => members.sort_by_key(|&member| std::cmp::Reverse((member == 0, member))),
            ListOrder::Name => members.sort_by_key(|&member| name(member)),
        }
        members.into_iter().map(|member| self.id(member)).collect()
    }

    fn id(&self, member: u32) -> Uuid {
        if member == 0 {
            return self.made;
        }
        format!("01800000-0000-7000-8000-{member:012x}")
            .parse()
            .expect("an id")
    }

    /// Adds connections, older than the one that was made, each with its people, its note, its operation and with that its revision,
    /// its events and a key. `vacuum` notes rows as visible to all only once their commit is in the log, so the commit waits for that.
    pub(super) async fn grow_to(&mut self, db: &mut PgConnection, size: u32) {
        let statements = format!(
            "set synchronous_commit = on;
             create temporary table crowd as
             select i, ('01800000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid as id, i % 20 in (1, 4) as is_unsettled,
                i % 20 in (2, 7, 12, 17) as is_removed
             from generate_series({from}, {size}) i;
             -- Copies, since an index that is being read while much is inserted does not grow as it should.
             create temporary table made as select * from connections where id = '{made}';
             create temporary table made_operation as select * from operations where connection_id = '{made}';
             insert into connections (id, arm_id, arm_id_written, name, target_tenant_id, source_tenant_id, database_id,
                table_name, mapping_name, data_format, source_kind, source_id, consumer_group, location, request_hash,
                created_by, created_at, desired, observed, observed_at, confirmed_at, closed_at)
             select n.id, c.arm_id || n.i, c.arm_id_written, c.name || lpad(n.i::text, 6, '0'), target_tenant_id, source_tenant_id,
                case when n.i % 4 = 0 then regexp_replace(database_id, '/clusters/([^/]+)', '/clusters/\\12') else database_id end,
                table_name, mapping_name, data_format, source_kind,
                case when n.i % 4 = 0 then regexp_replace(source_id, '/namespaces/([^/]+)', '/namespaces/\\12') else source_id end,
                consumer_group, location, request_hash, '{OWNER}', created_at,
                case when n.is_removed then 'absent' else desired end,
                case when n.is_unsettled then 'unknown' when n.is_removed then 'absent' else observed end,
                observed_at, confirmed_at, case when n.is_removed then now() end
             from crowd n, made c;
             insert into connection_people (connection_id, person_id, part, app_id)
             select id, '{OWNER}'::uuid, 'actor', id from crowd
             union all select id, '{GUEST}'::uuid, 'participant', id from crowd where i <= 3;
             insert into connection_notes (connection_id, justification, salt) select id, 'for the forecast', '\\x00' from crowd;
             insert into people (id, tenant_id, object_id, first_seen_at) select id, id, id, now() from crowd;
             insert into operations (id, connection_id, kind, phase, person_id, app_id, correlation_id, body, body_hash,
                api_version, absence_seen_at, created_at, dispatched_at, finished_at, deadline_at, due_at)
             select n.id, n.id, kind, phase, '{OWNER}', app_id, correlation_id, body, body_hash, api_version,
                absence_seen_at, created_at, dispatched_at, finished_at, deadline_at, due_at
             from crowd n, made_operation o;
             insert into ledger_events (id, occurred_at, kind, connection_id, operation_id, person_id, details)
             select id, now(), 'createIntended', id, id, '{OWNER}', '{{}}' from crowd;
             -- The service has nothing to do with them.
             select pg_advisory_xact_lock(x'66656564'::bigint);
             insert into feed (epoch, position, event_sequence, event_occurred_at, connection_id, hash, hash_version)
             select f.epoch, f.last + row_number() over (order by e.sequence), e.sequence, e.occurred_at, e.connection_id, sha256(''), 1
             from ledger_events e, (select epoch, (select coalesce(max(position), 0) from feed) as last from feed_epochs) f
             where not exists (select from feed n where n.event_sequence = e.sequence);
             update feed_epochs set numbered_up_to = (select max(sequence) from ledger_events);
             insert into idempotency_keys (person_id, app_id, route, key_hash, body_hash, connection_id, operation_id, began)
             select id, id, '', '', '', id, id, true from crowd;
             select list_connection(id) from crowd where i <= {LISTED};
             insert into connection_listings (viewer, connection_id, shelf, name, part, tags)
             select l.viewer, n.id, l.shelf, 'telemetry' || lpad(n.i::text, 6, '0'), l.part, l.tags
             from crowd n join connection_listings l
                on l.connection_id = ('01800000-0000-7000-8000-' || lpad(to_hex(20 + n.i % 20), 12, '0'))::uuid
             where n.i > {LISTED};
             drop table crowd, made, made_operation",
            from = self.size + 1,
            made = self.made,
        );
        sqlx::raw_sql(AssertSqlSafe(statements))
            .execute(&mut *db)
            .await
            .expect("the owner may");
        vacuum(db).await;
        self.size = size;
    }
}

async fn vacuum(db: &mut PgConnection) {
    sqlx::raw_sql(
        "vacuum analyze connections, connection_people, connection_resources, connection_list_entries, connection_notes,
            connection_listings, connection_revisions, people, operations, ledger_events, feed, idempotency_keys",
    )
    .execute(db)
    .await
    .expect("the owner may");
}
