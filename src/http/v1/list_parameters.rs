//! The parameters of a list of connections: what it is narrowed down to, its order and its pages.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

use crate::domain::{
    ClusterId, DatabaseId, EVENT_HUB, ListFilter, ListOrder, NamePrefix, ResourceId, SourceScope, State, hex,
};
use crate::http::Problem;
use crate::http::extract::optional;

/// Which part of the list, and in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only the connections into this database (resource id): also those of others, if Azure lets you read its data connections.
    #[param(
        max_length = 2048,
        pattern = r"^/subscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/resourceGroups/\w[\w().-]{0,89}/providers/Microsoft\.Kusto/clusters/\w[\w-]{0,62}/databases/\w([\w .-]{0,258}[\w-])?$",
        example = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1/databases/telemetry"
    )]
    database: Option<String>,
    /// Only the connections into databases of this cluster (resource id).
    #[param(
        max_length = 2048,
        pattern = r"^/subscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}/resourceGroups/\w[\w().-]{0,89}/providers/Microsoft\.Kusto/clusters/\w[\w-]{0,62}$",
        example = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx/providers/Microsoft.Kusto/clusters/adx1"
    )]
    cluster: Option<String>,
    /// Only the connections from this event hub, event hub namespace, storage account (resource ids) or subscription
    /// (`/subscriptions/{guid}`): who reads its data. Also those of others, if Azure lets you read the event hub, or all event hubs of
    /// the namespace, the storage account, or all event hubs and storage accounts of the subscription.
    #[param(
        max_length = 2048,
        pattern = r"^/subscriptions/[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(/resourceGroups/\w[\w().-]{0,89}/providers/(Microsoft\.EventHub/namespaces/\w[\w-]{0,49}(/eventhubs/\w[\w.-]{0,255})?|Microsoft\.Storage/storageAccounts/[0-9a-z]{3,24}))?$",
        example = "/subscriptions/50000000-0000-4000-8000-000000000002/resourceGroups/rg-streams/providers/Microsoft.EventHub/namespaces/ns-domain2/eventhubs/hub1"
    )]
    source: Option<String>,
    /// Only the connections that involve this tenant, on either side.
    #[param(value_type = Option<uuid::Uuid>, example = "10000000-0000-4000-8000-000000000001")]
    tenant: Option<String>,
    /// Only the connections from sources of this kind.
    #[param(inline)]
    kind: Option<ListedKind>,
    /// Only the connections in this state. An unsettled connection may or may not have been changed at Azure, and no read has decided
    /// yet; it is never deleted on a guess. An operator of the service (app role `Operator` of its home tenant) sees all of them.
    #[param(inline)]
    state: Option<ListedState>,
    /// Only the connections whose name begins like this, in upper or lower case.
    #[param(max_length = 40, pattern = "^[A-Za-z0-9 .-]{1,40}$", example = "telemetry")]
    name: Option<String>,
    /// `me`: only the connections that the caller created, or continued as a person of the target's tenant.
    #[param(inline)]
    actor: Option<ListedActor>,
    /// Whether connections that are `removed` or `failed` are listed too. `state=removed` and `state=failed` list them in any case.
    #[serde(default)]
    #[param(default = false)]
    include_finished: bool,
    /// The order: by creation, newest first, unless it is to be by name, without case.
    #[serde(default)]
    #[param(inline, required = false)]
    order_by: ListedOrder,
    /// The most connections in a page: 1 to 200, by default 50. A page may hold fewer, or none, although another one follows: the
    /// search for rare ones continues there.
    #[param(minimum = 1, maximum = 200, example = 50)]
    pub(super) limit: Option<u32>,
    /// Where the page begins: taken from `nextLink`.
    pub(super) page_token: Option<String>,
}

/// Defines a closed set of words of a parameter, each with what it means to the use case.
macro_rules! listed {
    ($(#[$doc:meta])* $name:ident -> $of:ty { $($(#[$word_doc:meta])* $variant:ident = $word:tt => $meaning:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
        pub(crate) enum $name {
            $($(#[$word_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            const fn meaning(self) -> $of {
                match self { $(Self::$variant => $meaning),+ }
            }
        }
    };
}

listed! {
    /// The states that a list can be filtered by.
    ListedState -> State {
        /// It is being created.
        Creating = "creating" => State::Creating,
        /// It exists, as far as the last read knows.
        Active = "active" => State::Active,
        /// It is being removed.
        Removing = "removing" => State::Removing,
        /// It was removed.
        Removed = "removed" => State::Removed,
        /// It was never created.
        Failed = "failed" => State::Failed,
        /// A change may or may not have happened, and no read has decided yet.
        Unsettled = "unsettled" => State::Unsettled,
        /// It is gone without this service having removed it.
        Missing = "missing" => State::Missing,
    }
}

listed! {
    /// The kinds of sources that a list can be filtered by.
    ListedKind -> &'static str {
        /// An event hub.
        EventHub = "eventHub" => EVENT_HUB,
    }
}

listed! {
    /// Whose connections a list holds.
    ListedActor -> bool {
        /// The caller's.
        Me = "me" => true,
    }
}

listed! {
    /// The order of a list.
    #[derive(Default)]
    ListedOrder -> ListOrder {
        /// By creation, newest first.
        #[default]
        Creation = "creation" => ListOrder::Creation,
        /// By name, without case.
        Name = "name" => ListOrder::Name,
    }
}

impl ListParameters {
    /// The filter and the order.
    pub(super) fn filter(&self) -> Result<ListFilter, Problem> {
        let mut errors = Vec::new();
        let filter = ListFilter {
            state: self.state.map(ListedState::meaning),
            kind: self.kind.map(ListedKind::meaning),
            tenant: optional(&mut errors, "tenant", self.tenant.as_deref()),
            cluster: optional(&mut errors, "cluster", self.cluster.as_deref()),
            database: optional(&mut errors, "database", self.database.as_deref()),
            source: optional(&mut errors, "source", self.source.as_deref()),
            name: optional(&mut errors, "name", self.name.as_deref()),
            is_mine: self.actor.is_some_and(ListedActor::meaning),
            with_finished: self.include_finished,
            order: self.order_by.meaning(),
        };
        if errors.is_empty() {
            Ok(filter)
        } else {
            Err(Problem::invalid(errors))
        }
    }

    /// The parameters of the next page but its token.
    pub(super) fn of_next(&self, limit: u32) -> form_urlencoded::Serializer<'static, String> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("database", self.database.as_deref()),
            ("cluster", self.cluster.as_deref()),
            ("source", self.source.as_deref()),
            ("tenant", self.tenant.as_deref()),
            ("kind", self.kind.map(ListedKind::as_str)),
            ("state", self.state.map(ListedState::as_str)),
            ("name", self.name.as_deref()),
            ("actor", self.actor.map(ListedActor::as_str)),
            ("includeFinished", self.include_finished.then_some("true")),
            (
                "orderBy",
                (self.order_by != ListedOrder::Creation).then(|| self.order_by.as_str()),
            ),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("limit", &limit.to_string());
        query
    }
}

/// The name of the list that a page token belongs to: another filter or order makes another list. It protects nothing: visibility is
/// checked for each page.
pub(super) fn list_of(filter: &ListFilter) -> String {
    let parts = [
        filter.state.map_or("", State::as_str).to_owned(),
        filter.kind.unwrap_or("").to_owned(),
        filter.tenant.map(|tenant| tenant.to_string()).unwrap_or_default(),
        canonical(filter.cluster.as_ref().map(ClusterId::resource)),
        canonical(filter.database.as_ref().map(DatabaseId::resource)),
        filter
            .source
            .as_ref()
            .map(SourceScope::canonical)
            .unwrap_or_default(),
        filter.name.as_ref().map_or("", NamePrefix::as_str).to_owned(),
        format!("{} {} {:?}", filter.is_mine, filter.with_finished, filter.order),
    ];
    format!("connections-{}", hex(&Sha256::digest(parts.join("\n"))))
}

fn canonical(id: Option<&ResourceId>) -> String {
    id.map_or("", ResourceId::canonical).to_owned()
}
